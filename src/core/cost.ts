/**
 * Cost vectors and gas (spec/10-ops.md, "Cost"): the classes are part of the format, the weights are a schedule’s.
 * @module
 */
import { floorDiv } from './int.ts';
import { add, constant, type Poly, polyAt, times, ZERO } from './poly.ts';

/**
 * Classes of a cost vector, in wire order. `op` counts nodes, `byte` bytes moved; `mac_*` charged multiply-accumulates by
 * operand pair; the rest elements as each op’s cost rule counts them.
 */
export const COST_CLASSES = [
  'op',
  'byte',
  'mac_i8_i8',
  'mac_i8_i4',
  'mac_i16_i8',
  'mac_i16_i4',
  'mac_i16_i16',
  'mac_depthwise',
  'move',
  'move_scatter',
  'select',
  'linear2',
  'staged',
  'div',
  'lut8',
  'lut16',
  'pool',
  'reduce',
  'softmax',
  'log_softmax',
  'norm',
  'bilinear',
  'rope',
  'cell',
  'cumsum',
  'arg',
  'order',
  'sample',
  'nms',
] as const;
/** A class of the cost vector. */
export type CostClass = (typeof COST_CLASSES)[number];
/** What one node or model costs: class → count, a polynomial in the symbols. Classes that do not occur are absent. */
export type CostVector = Readonly<Partial<Record<CostClass, Poly>>>;

/** Weights over a cost vector in quarters of gas, and the constant of a run. gas = base + ⌈Σ weight·count / 4⌉. */
export interface GasSchedule {
  readonly id: number;
  readonly base: bigint;
  readonly weights: Readonly<Record<CostClass, number>>;
}

/** Schedule 0: provisional weights, from first measurements. */
export const SCHEDULE_0: GasSchedule = {
  id: 0,
  base: 0n,
  weights: {
    op: 4000,
    byte: 1,
    mac_i8_i8: 4,
    mac_i8_i4: 5,
    mac_i16_i8: 8,
    mac_i16_i4: 9,
    mac_i16_i16: 16,
    mac_depthwise: 12,
    move: 4,
    move_scatter: 64,
    select: 8,
    linear2: 12,
    staged: 16,
    div: 160,
    lut8: 8,
    lut16: 16,
    pool: 4,
    reduce: 4,
    softmax: 160,
    log_softmax: 192,
    norm: 96,
    bilinear: 48,
    rope: 48,
    cell: 160,
    cumsum: 16,
    arg: 8,
    order: 16,
    sample: 160,
    nms: 80,
  },
};

/** Schedules a run may be priced by. */
export const SCHEDULES: readonly GasSchedule[] = [SCHEDULE_0];

/** The sum of vectors. */
export function sumCosts(list: readonly CostVector[]): CostVector {
  const sums: Partial<Record<CostClass, Map<string, bigint>>> = {};
  for (const vector of list) {
    for (const c of Object.keys(vector) as CostClass[]) {
      const sum = (sums[c] ??= new Map());
      for (const [k, v] of vector[c]!) sum.set(k, (sum.get(k) ?? 0n) + v);
    }
  }
  for (const c of Object.keys(sums) as CostClass[]) if (sums[c]!.size === 0) delete sums[c];
  return sums;
}

/** The polynomial P = 4·(gas − base) of a vector under a schedule. */
export function pricePoly(cost: CostVector, schedule: GasSchedule): Poly {
  return COST_CLASSES.reduce((p: Poly, c) => add(p, times(cost[c] ?? ZERO, schedule.weights[c])), constant(0));
}

/** Gas at t = s − min(s): base + ⌈P(t)/4⌉. */
export function gasAt(cost: CostVector, schedule: GasSchedule, t: readonly number[]): bigint {
  return schedule.base + ((polyAt(pricePoly(cost, schedule), t) + 3n) >> 2n);
}

/** Charged extent: n rounded up to a multiple of `to`. */
export function charged(n: number, to: number): number {
  return floorDiv(n + to - 1, to) * to;
}
