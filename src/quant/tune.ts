/**
 * What is chosen before a graph is quantized: how ranges are taken, which channels are scaled, which tensors get 16 bits.
 * All of it by calibration samples, in a fixed order; each step can be switched off and is reported.
 * @module
 */
import { gasAt, SCHEDULE_1 } from '../core/cost.ts';
import { encodeModel } from '../format/encode.ts';
import { validateGraph } from '../graph/validate.ts';
import { ImportError } from '../onnx/errors.ts';
import { deriveRanges } from './derive.ts';
import type { Parts } from './emit/context.ts';
import { type Calibration, type Equalised, equalise } from './equalise.ts';
import { type FloatGraph, isLayer, type Layer } from './float-graph.ts';
import { type ObserveProgress, observe, type RangeMethod, type Ranges } from './observe.ts';
import { planTypes, rangeType, type Width } from './plan.ts';
import { type InputForm, outputWidths, type QuantPolicy, quantize } from './quantize.ts';
import type { Rounding } from './rounding.ts';
import type { SampleReader } from './samples.ts';
import type { LayerForms, QType } from './scales.ts';
import {
  layersOf,
  type Promotion,
  partBytes,
  scanSensitivity,
  simulate,
  type Widened,
  widthsOf,
  withinBudget,
} from './sensitivity.ts';
import { fixed } from './symbolic.ts';
import { coarseTables } from './tables.ts';

/** Switches of the tuning. */
export interface TuneOptions {
  /** How ranges are chosen; minmax by default. `auto` tries the others too where minmax misses the target. */
  readonly ranges?: RangeMethod | 'auto' | undefined;
  /** Ratio of signal to activation rounding error that every output shall reach, in dB; 40 by default, 0 for 8 bits throughout. */
  readonly target?: number | undefined;
  /** Most gas for it (schedule 1), as a multiple of that of 8 bits throughout; 1.2 by default, Infinity for no limit. */
  readonly budget?: number | undefined;
  /** Where 8 bits miss the target, scales may move between layers, channel by channel; false by default. */
  readonly equalise?: boolean | undefined;
  /** Weights of layers may have 16 bits, in two parts of 8; true by default. */
  readonly wideWeights?: boolean | undefined;
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
export const TARGET = 40;
/** Default of `TuneOptions.budget`. */
const BUDGET = 1.2;
/** Most bytes for it, as a multiple of those of 8 bits. */
const BYTES = 1.1;
/** Bytes that a file may have more in any case: a few tables of 16 bits. */
const FEW = 8192;
/** What is tried where minmax misses the target. */
const OTHERS: readonly RangeMethod[] = ['mse', { percentile: 99.99 }];

/** What promotions choose of a policy. */
interface Choice {
  readonly inputs: readonly InputForm[];
  readonly widths: ReadonlyMap<number, Width>;
  readonly parts: Parts;
}

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
    throw new ImportError('BadOption', 'the budget is a multiple of the gas of 8 bits', {
      expected: '1 or more',
      actual: String(budget),
    });
  return budget;
}

function planned(from: Calibration, formsOf: FormsOf): Pick<Candidate, 'inputs' | 'types'> {
  const inputs = formsOf(from.graph, from.ranges);
  const own = { inputs: typesOf(inputs), widths: outputWidths(from.graph) };
  return { inputs, types: planTypes(from.graph, from.ranges, own) };
}

/** Gas (schedule 1) and bytes of a quantization without statistics. */
function sizeOf(from: Candidate, choice: Omit<QuantPolicy, 'stats'>): { gas: number; bytes: number } {
  const { graph } = quantize(fixed(from.graph), from.ranges, choice);
  return { gas: Number(gasAt(validateGraph(graph).cost, SCHEDULE_1, [])), bytes: encodeModel(graph).length };
}

/** Types of the inputs of a form; undefined for integer data. */
function typesOf(inputs: readonly InputForm[]): (QType | undefined)[] {
  return inputs.map((f) => ('index' in f ? undefined : f.type));
}

/** What the first `count` promotions choose. */
function chosen(from: Candidate, order: readonly Promotion[], count: number, tables: ReadonlySet<number>): Choice {
  const widths = widthsOf(order, count);
  const inputs = from.inputs.map((form, i): InputForm => {
    const { tensor } = from.graph.inputs[i]!;
    const bits = widths.get(tensor);
    if ('index' in form || bits === undefined) return form;
    const type = rangeType(from.ranges[tensor]!, bits);
    return { ...form, type, storedScale: (type.scale / form.type.scale) * form.storedScale };
  });
  return { inputs, widths, parts: { layers: layersOf(order, count), tables } };
}

/** How many promotions fit the gas and the bytes, and have an integer form. */
function affordable(
  from: Candidate,
  order: readonly Promotion[],
  tables: ReadonlySet<number>,
  most: { readonly gas: number; readonly bytes: number },
): number {
  return withinBudget(order, 1, (count) => {
    try {
      const { gas, bytes } = sizeOf(from, chosen(from, order, count, tables));
      return Math.max(gas / most.gas, bytes / most.bytes);
    } catch (e) {
      if (e instanceof ImportError) return Number.POSITIVE_INFINITY;
      throw e;
    }
  });
}

/** Layers with the weights that their 8 bits stand for, by output tensor: those whose second part takes at most `most` bytes. */
function roughLayers(
  { graph, ranges, inputs, stats }: Candidate,
  rounding: Rounding,
  most: number,
): ReadonlyMap<number, Layer> {
  const small = graph.nodes.filter(({ op }) => isLayer(op) && partBytes(op) <= most);
  const own = new Map(small.flatMap(({ output: id }) => (stats.has(id) ? [[id, stats.get(id)!]] : [])));
  const forms = new Map<number, LayerForms>();
  const { types } = quantize(fixed(graph), ranges, { inputs, stats: own, rounding, forms });
  return new Map(
    small.flatMap(({ op, inputs: [x], output }): [number, Layer][] => {
      const ints = forms.get(output)?.each;
      if (!ints || !isLayer(op)) return [];
      const k = ints.w.length / ints.b.length;
      const { scale } = types[x!]!;
      const weight = Float64Array.from(ints.w, (w, i) => w * ints.scales[Math.floor(i / k)]!);
      return [[output, { ...op, weight, bias: Float64Array.from(ints.b, (b, o) => b * ints.scales[o]! * scale) }]];
    }),
  );
}

/** Tables that get finer nodes where all promotions are made. */
function tablesOf(from: Candidate, readers: readonly SampleReader[], order: readonly Promotion[]): ReadonlySet<number> {
  const { graph, ranges } = from;
  const choice = chosen(from, order, order.length, new Set());
  const widths = new Map([...outputWidths(graph), ...choice.widths]);
  return coarseTables(graph, readers, planTypes(graph, ranges, { inputs: typesOf(choice.inputs), widths }), ranges);
}

/** What promotions may reach and take: dB, a multiple of the gas of 8 bits, and the bytes that the file shall not exceed. */
interface Limits {
  readonly target: number;
  readonly budget: number;
  readonly goal: number;
}

/** What gets more bits, in order; the tables with finer nodes; and how many of the promotions are made. */
type Promotions = readonly [order: readonly Promotion[], tables: ReadonlySet<number>, count: number];
const NONE: Promotions = [[], new Set(), 0];

/** Scans for what reaches `target`, and takes what fits; weights too where their rounding is given. */
function promotions(
  from: Candidate,
  readers: readonly SampleReader[],
  { target, budget, goal }: Limits,
  rounding: Rounding | undefined,
): Promotions {
  const plain = sizeOf(from, { inputs: from.inputs });
  const open = budget === Number.POSITIVE_INFINITY;
  const more = Math.max((BYTES - 1) * plain.bytes, FEW);
  const spare = open ? budget : Math.min(Math.max(goal - plain.bytes, 0), more);
  const most = { gas: plain.gas * budget, bytes: plain.bytes + more };
  const order = scanSensitivity(from.graph, readers, {
    types: from.types,
    settled: outputWidths(from.graph),
    target,
    layers: rounding ? roughLayers(from, rounding, spare / 4) : new Map(),
    inputs: from.graph.inputs.filter((_, i) => 'free' in from.inputs[i]! && from.inputs[i].free),
    bytePrice: 4 * (Math.min(budget, BUDGET) - 1) * (plain.gas / more),
    spare,
  });
  const tables = tablesOf(from, readers, order);
  return [order, tables, open ? order.length : affordable(from, order, tables, most)];
}

/** Chooses by the samples, towards a file of `goal` bytes; without any, ranges follow from the types that the source model gives. */
export function tune(
  graph: FloatGraph,
  readers: readonly SampleReader[] | undefined,
  formsOf: FormsOf,
  options: TuneOptions,
  { rounding, goal }: { readonly rounding: Rounding; readonly goal: number },
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
  const wide = options.wideWeights === false ? undefined : rounding;
  const [order, tables, count] = target > 0 ? promotions(best, readers, { target, budget, goal }, wide) : NONE;
  return {
    graph: best.graph,
    ranges: best.ranges,
    policy: { stats: best.stats, ...chosen(best, order, count, tables) },
    report: {
      ranges: best.method,
      equalised: best.equalised,
      widened: order.slice(0, count).map((p) => p.widened),
    },
  };
}
