/**
 * Cost vectors and gas (spec/10-ops.md, "Cost"): the classes are part of the format, the weights are a schedule’s.
 * @module
 */
import { floorDiv } from './int.ts';
import { add, constant, type Poly, polyAt, times, ZERO } from './poly.ts';

/**
 * Classes of a cost vector, in wire order. `op` counts nodes, `byte` bytes moved; `mac_*` charged multiply-accumulates by
 * operand pair; `row` what is done once for a run of elements, `io` what goes in and out; the rest elements as each op’s cost
 * rule counts them.
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
  'row',
  'io',
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

/** Weights by class from those in wire order. */
/* @__NO_SIDE_EFFECTS__ */
function weigh(list: readonly number[]): Readonly<Record<CostClass, number>> {
  return Object.fromEntries(COST_CLASSES.map((c, i) => [c, list[i]])) as Record<CostClass, number>;
}

/**
 * Schedule 1: frozen from measurements of the wasm backend, SIMD128, one thread; docs/gas.md has the method, spec/10-ops.md the
 * weights by name.
 */
export const SCHEDULE_1: GasSchedule = {
  id: 1,
  base: 15000n,
  weights: /* @__PURE__ */ weigh([
    16000, 3, 3, 4, 4, 5, 5, 6, 36, 220, 20, 30, 52, 112, 32, 48, 7, 28, 120, 140, 80, 60, 60, 600, 36, 60, 160, 680,
    440, 200, 40,
  ]),
};

/** Schedules a run may be priced by. */
export const SCHEDULES: readonly GasSchedule[] = [SCHEDULE_1];

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

/** Gas at t = s − min(s), base + ⌈P(t)/4⌉, as a function of t: what does not hang on t is computed once. */
export function gasOf(cost: CostVector, schedule: GasSchedule): (t: readonly number[]) => bigint {
  const price = pricePoly(cost, schedule);
  return (t) => schedule.base + ((polyAt(price, t) + 3n) >> 2n);
}

/** Gas at t = s − min(s): base + ⌈P(t)/4⌉. */
export function gasAt(cost: CostVector, schedule: GasSchedule, t: readonly number[]): bigint {
  return gasOf(cost, schedule)(t);
}

/** Charged extent: n rounded up to a multiple of `to`. */
export function charged(n: number, to: number): number {
  return floorDiv(n + to - 1, to) * to;
}
