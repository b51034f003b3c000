/**
 * What is chosen before a graph is quantized: how ranges are taken, which channels are scaled, which tensors get 16 bits.
 * All of it by calibration samples, in a fixed order; each step can be switched off and is reported.
 * @module
 */
import { type GasSchedule, gasAt } from '../core/cost.ts';
import { validateGraph } from '../graph/validate.ts';
import { ImportError } from '../onnx/errors.ts';
import { deriveRanges } from './derive.ts';
import { type Calibration, type Equalised, equalise } from './equalise.ts';
import type { FloatGraph } from './float-graph.ts';
import { type ObserveProgress, observe, type RangeMethod, type Ranges } from './observe.ts';
import { planTypes } from './plan.ts';
import { type InputForm, outputWidths, type QuantPolicy, quantize } from './quantize.ts';
import type { SampleReader } from './samples.ts';
import type { QType } from './scales.ts';
import { type Promotion, scanSensitivity, simulate, type Widened, widthsOf, withinBudget } from './sensitivity.ts';
import { fixed } from './symbolic.ts';

/** Switches of the tuning. */
export interface TuneOptions {
  /** How ranges are chosen; minmax by default. `auto` tries the others too where minmax misses the target. */
  readonly ranges?: RangeMethod | 'auto' | undefined;
  /** Ratio of signal to activation rounding error that every output shall reach, in dB; 34 by default, 0 for 8 bits throughout. */
  readonly target?: number | undefined;
  /** Most work for it, by weights of its own, as a multiple of that of 8 bits throughout; 1.25 by default, Infinity for no limit. */
  readonly budget?: number | undefined;
  /** Where 8 bits miss the target, scales may move between layers, channel by channel; false by default. */
  readonly equalise?: boolean | undefined;
}

/** What tuning chose. */
export interface Tuned {
  readonly graph: FloatGraph;
  readonly ranges: Ranges;
  readonly policy: QuantPolicy;
  readonly report: {
    readonly ranges: RangeMethod;
    readonly equalised: readonly Equalised[];
    readonly widened: readonly Widened[];
  };
}

/** Default of `TuneOptions.target`. */
export const TARGET = 34;
/**
 * What a budget weighs by: wider operands at the cost of twice their bytes, on any hardware. No schedule of gas, so that another
 * schedule makes no other model of the same samples.
 */
const WIDTHS: GasSchedule = {
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
    row: 0,
    io: 0,
  },
};
/** Default of `TuneOptions.budget`. */
const BUDGET = 1.25;
/** What is tried where minmax misses the target. */
const OTHERS: readonly RangeMethod[] = ['mse', { percentile: 99.99 }];

/** Forms of the inputs for given ranges. */
export type FormsOf = (graph: FloatGraph, ranges: Ranges) => InputForm[];

interface Candidate extends Calibration {
  readonly method: RangeMethod;
  readonly equalised: readonly Equalised[];
  readonly inputs: readonly InputForm[];
  readonly types: readonly (QType | undefined)[];
}

function rangeMethod(method: RangeMethod | 'auto' = 'minmax'): RangeMethod | 'auto' {
  if (typeof method !== 'string' && !(method.percentile > 50 && method.percentile <= 100))
    throw new ImportError('BadOption', 'the percentile must lie above 50 and be at most 100', {
      expected: '50 to 100, e.g. 99.99',
      actual: String(method.percentile),
    });
  return method;
}

function budgetOf({ budget = BUDGET }: TuneOptions): number {
  if (!(budget >= 1))
    throw new ImportError('BadOption', 'the budget is a multiple of the work of 8 bits', {
      expected: '1 or more',
      actual: String(budget),
    });
  return budget;
}

function planned(from: Calibration, formsOf: FormsOf): Pick<Candidate, 'inputs' | 'types'> {
  const inputs = formsOf(from.graph, from.ranges);
  const own = inputs.map((f) => ('index' in f ? undefined : f.type));
  return { inputs, types: planTypes(from.graph, from.ranges, { inputs: own, widths: outputWidths(from.graph) }) };
}

/** How many promotions fit the budget, a multiple of the work of 8 bits. */
function affordable(from: Candidate, order: readonly Promotion[], budget: number): number {
  const gas = (count: number): number => {
    const policy = { inputs: from.inputs, widths: widthsOf(order, count) };
    const { cost } = validateGraph(quantize(fixed(from.graph), from.ranges, policy).graph);
    return Number(gasAt(cost, WIDTHS, []));
  };
  if (order.length === 0 || budget === Number.POSITIVE_INFINITY) return order.length;
  return withinBudget(order, gas(0) * budget, gas);
}

/** Chooses by the samples; without any, ranges follow from the types that the source model gives. */
export function tune(
  graph: FloatGraph,
  readers: readonly SampleReader[] | undefined,
  formsOf: FormsOf,
  options: TuneOptions,
  progress?: ObserveProgress,
): Tuned {
  const method = rangeMethod(options.ranges);
  const budget = budgetOf(options);
  const target = options.target ?? TARGET;
  if (!readers) {
    const ranges = deriveRanges(graph);
    const report = { ranges: 'minmax', equalised: [], widened: [] } as const;
    return { graph, ranges, policy: { inputs: formsOf(graph, ranges) }, report };
  }
  const candidate = (how: RangeMethod): Candidate => {
    const seen = { graph, ...observe(graph, readers, how, progress) };
    return { ...seen, method: how, equalised: [], ...planned(seen, formsOf) };
  };
  const equal = (c: Candidate): Candidate => {
    const own = equalise(c);
    return { ...own, method: c.method, ...planned(own, formsOf) };
  };
  const lossOf = (c: Candidate): number =>
    simulate(c.graph, readers, { types: c.types, settled: outputWidths(c.graph) });
  let best = candidate(method === 'auto' ? 'minmax' : method);
  const choose = target > 0 && (method === 'auto' || options.equalise === true);
  let least = choose ? lossOf(best) : 0;
  if (least > 10 ** (-target / 10)) {
    const others = [
      ...(options.equalise === true && best.method === 'minmax' ? [() => equal(best)] : []),
      ...(method === 'auto' ? OTHERS.map((how) => () => candidate(how)) : []),
    ];
    for (const make of others) {
      const other = make();
      const loss = lossOf(other);
      if (loss < least) [best, least] = [other, loss];
    }
  }
  const order = scanSensitivity(best.graph, readers, { types: best.types, settled: outputWidths(best.graph), target });
  const count = affordable(best, order, budget);
  return {
    graph: best.graph,
    ranges: best.ranges,
    policy: { inputs: best.inputs, stats: best.stats, widths: widthsOf(order, count) },
    report: {
      ranges: best.method,
      equalised: best.equalised,
      widened: order.slice(0, count).map((p) => p.widened),
    },
  };
}
