/**
 * Ranges of every tensor over calibration samples: minmax, percentile or mse (spec: research on quantization §3). Float,
 * outside the trust boundary, yet reproducible: fixed order, integer histograms with fixed edges, fixed grids.
 * @module
 */
import { ChannelCollector, type ChannelStats } from './channels.ts';
import type { FloatGraph } from './float-graph.ts';
import { createInterpreter } from './interpret.ts';
import { type LayerStats, StatsCollector } from './layer-stats.ts';
import type { SampleReader } from './samples.ts';
import type { Range } from './scales.ts';

/** How ranges are chosen. `percentile` cuts that share of the values, half at each end; `mse` the least squared error. */
export type RangeMethod = 'minmax' | 'mse' | { readonly percentile: number };

/** Range of every tensor by id; zero lies in every range. Undefined for a tensor that no node or input defines. */
export type Ranges = readonly (Range | undefined)[];

/** What calibration learnt: ranges, statistics of the inputs of layers by output tensor, and of channels by tensor. */
export interface Observation {
  readonly ranges: Ranges;
  readonly stats: ReadonlyMap<number, LayerStats>;
  readonly channels: ReadonlyMap<number, ChannelStats>;
}

/** Called after sample `done` of `total`; both passes count. */
export type ObserveProgress = (done: number, total: number) => void;

const BINS = 2048;
const RATIOS = 128;

interface Observed {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

function eachSample(
  graph: FloatGraph,
  readers: readonly SampleReader[],
  visit: (id: number, v: Float64Array) => void,
  done: (values: readonly Float64Array[]) => void,
): void {
  const interpreter = createInterpreter(graph);
  const ids = [...graph.inputs.map((i) => i.tensor), ...graph.nodes.map((n) => n.output)];
  for (let i = 0; i < readers[0]!.count; i++) {
    interpreter.run(readers.map((r) => r.read(i)));
    for (const id of ids) visit(id, interpreter.values[id]!);
    done(interpreter.values);
  }
}

/** Integer counts per bin, BINS equal bins from lo to hi. */
function countBins(v: Float64Array, lo: number, hi: number, bins: Float64Array): void {
  const scale = BINS / (hi - lo);
  for (let i = 0; i < v.length; i++) bins[Math.min(BINS - 1, Math.floor((v[i]! - lo) * scale))]! += 1;
}

/** The range that leaves at most (100 − p)/2 percent of the counts at each end. */
function percentileRange(bins: Float64Array, full: Range, p: number): Range {
  const total = bins.reduce((a, b) => a + b, 0);
  const spare = (total * (100 - p)) / 200;
  const width = (full.hi - full.lo) / BINS;
  let [first, last, below, above] = [0, BINS - 1, 0, 0];
  while (first < last && below + bins[first]! <= spare) below += bins[first++]!;
  while (last > first && above + bins[last]! <= spare) above += bins[last--]!;
  return { lo: full.lo + first * width, hi: last === BINS - 1 ? full.hi : full.lo + (last + 1) * width };
}

/** Squared error of 256 steps over lo…hi: bins outside by their distance, bins inside by step²/12. */
function squaredError(bins: Float64Array, full: Range, lo: number, hi: number): number {
  const width = (full.hi - full.lo) / BINS;
  const step = (hi - lo) / 255;
  let error = 0;
  for (let i = 0; i < BINS; i++) {
    const v = full.lo + (i + 0.5) * width;
    const out = v < lo ? lo - v : v > hi ? v - hi : 0;
    error += bins[i]! * (out * out + (step * step) / 12);
  }
  return error;
}

/** The range full·r with the least squared error over r = 1, 127/128, … 1/128; the wider one on a tie. */
function mseRange(bins: Float64Array, full: Range): Range {
  let best = full;
  let least = Number.POSITIVE_INFINITY;
  for (let i = RATIOS; i >= 1; i--) {
    const range = { lo: (full.lo * i) / RATIOS, hi: (full.hi * i) / RATIOS };
    const error = squaredError(bins, full, range.lo, range.hi);
    if (error < least) [best, least] = [range, error];
  }
  return best;
}

/**
 * Observes all samples; one pass for minmax, a second one for the histograms of the other methods.
 * Every reader gives as many samples; the values must be finite.
 */
export function observe(
  graph: FloatGraph,
  readers: readonly SampleReader[],
  method: RangeMethod,
  progress?: ObserveProgress,
): Observation {
  const n = graph.tensors.length;
  const seen: Observed = { lo: new Float64Array(n), hi: new Float64Array(n) };
  const total = readers[0]!.count * (method === 'minmax' ? 1 : 2);
  let done = 0;
  const tick = (): void => progress?.(++done, total);
  const known = new Set<number>();
  const collector = new StatsCollector(graph, readers[0]!.count);
  const channelwise = new ChannelCollector(graph);
  eachSample(
    graph,
    readers,
    (id, v) => {
      known.add(id);
      let [lo, hi] = [seen.lo[id]!, seen.hi[id]!];
      for (let i = 0; i < v.length; i++) {
        if (v[i]! < lo) lo = v[i]!;
        else if (v[i]! > hi) hi = v[i]!;
      }
      seen.lo[id] = lo;
      seen.hi[id] = hi;
    },
    (values) => {
      collector.add(values);
      channelwise.add(values);
      tick();
    },
  );
  const stats = collector.finish();
  const channels = channelwise.finish();
  const full = graph.tensors.map((t) => (known.has(t.id) ? { lo: seen.lo[t.id]!, hi: seen.hi[t.id]! } : undefined));
  if (method === 'minmax') return { ranges: full, stats, channels };
  const bins = full.map((r) => (r && r.hi > r.lo ? new Float64Array(BINS) : undefined));
  eachSample(
    graph,
    readers,
    (id, v) => {
      const b = bins[id];
      if (b) countBins(v, full[id]!.lo, full[id]!.hi, b);
    },
    tick,
  );
  const ranges = full.map((range, id) => {
    const b = bins[id];
    if (!range || !b) return range;
    const cut = method === 'mse' ? mseRange(b, range) : percentileRange(b, range, method.percentile);
    return { lo: Math.min(cut.lo, 0), hi: Math.max(cut.hi, 0) };
  });
  return { ranges, stats, channels };
}
