/**
 * What calibration learns of every channel (the last axis) of tensors: range and mean square.
 * @module
 */
import type { FloatGraph } from './float-graph.ts';

/** Range and mean square of each channel; zero lies in every range. */
export interface ChannelStats {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly square: Float64Array;
}

/** Collects channel statistics of the tensors that layers read through what keeps channels apart. */
export class ChannelCollector {
  readonly #own: ReadonlyMap<number, ChannelStats & { count: number }>;

  constructor(graph: FloatGraph) {
    const ids = graph.nodes.flatMap((n) => [n.output]).filter((id) => graph.tensors[id]!.domain === 'real');
    const kept = ids.filter((id) => (graph.tensors[id]!.shape.at(-1) ?? 1) > 1 && graph.tensors[id]!.shape.length > 1);
    this.#own = new Map(
      kept.map((id) => {
        const make = (): Float64Array => new Float64Array(graph.tensors[id]!.shape.at(-1)!);
        return [id, { lo: make(), hi: make(), square: make(), count: 0 }];
      }),
    );
  }

  /** Looks at the values of one run. */
  add(values: readonly Float64Array[]): void {
    for (const [id, c] of this.#own) {
      const v = values[id]!;
      const n = c.lo.length;
      for (let i = 0, ch = 0; i < v.length; i++) {
        const x = v[i]!;
        if (x < c.lo[ch]!) c.lo[ch] = x;
        else if (x > c.hi[ch]!) c.hi[ch] = x;
        c.square[ch]! += x * x;
        ch = ch + 1 === n ? 0 : ch + 1;
      }
      c.count += v.length / n;
    }
  }

  /** Statistics by tensor. */
  finish(): ReadonlyMap<number, ChannelStats> {
    return new Map(
      [...this.#own].map(([id, c]) => [
        id,
        { lo: c.lo, hi: c.hi, square: c.square.map((v) => v / Math.max(1, c.count)) },
      ]),
    );
  }
}
