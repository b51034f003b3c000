/**
 * One row times weights beyond the caches (kernels/wasm/streams.ts), or i4 weights of more than a few panels (kernels/wasm/streams4.ts).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import { i4At } from '../../../core/tensor.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { dense } from '../linear.ts';
import { matrixWords, multipliers, panelK, words } from '../pack.ts';

type Operands = readonly [x: Arg, w: Arg, bias: Arg, scales?: Arg];

/** Weights from which four streams are faster than one. */
const LEAST = 4194304;
/** Weights from which groups of 32 columns of i4 are faster than panels. */
const LEAST_4 = 65536;

/** Whether a kernel computes a layer and gains: one row, many weights. */
export function streamsFit(s: Site<'dense'>): boolean {
  const [x, w, , scales] = s.in as Operands;
  if (s.out[0]!.count !== w.shape[0]) return false;
  return scales === undefined ? x.dtype === 'i8' && w.count >= LEAST : w.count >= LEAST_4;
}

/** Prepares a layer that `streamsFit`. */
export function streams(s: Site<'dense'>, b: Builder): Prepared {
  if (s.in[3] !== undefined) return streams4(s, b);
  const { calls } = dense(s, b);
  return { kernel: 'dense_w8_streams_i8', calls: calls.map((c) => ({ ...c, fn: 'streams' })) };
}

function streams4(s: Site<'dense'>, b: Builder): Prepared {
  const [x, w, bias, scales] = s.in as readonly [Arg, Arg, Arg, Arg];
  const { block, stage } = s.attrs;
  const [o, k] = w.shape as readonly [number, number];
  const blocks = scales.shape[1]!;
  const [units, group] = [(o + 31) >> 5, 32 * blocks + 16 * panelK(k)];
  const columns = {
    k,
    count: o,
    panels: b.reserve(units * group, (memory, at) => pack(new Uint8Array(memory, at, units * group), s, group)),
    bias: words(b, o, (i) => bias.data![i]!),
    m: multipliers(b, stage?.m, o),
    stage,
    ld: o,
  };
  b.scratch(128 + 12 * blocks + 2 * panelK(k) + 16);
  const record = b.record([2 * block, x.size, x.zp, group, 12 * blocks, ...matrixWords(columns)]);
  return prepared(`dense_w4_streams_i${8 * x.size}`, 'streams4', units, record, b.at(x), b.at(s.out[0]!));
}

/** Writes the groups (kernels/wasm/streams4.ts) of weights and scales. What is no weight is 0, for which x need not be. */
function pack(out: Uint8Array, s: Site<'dense'>, group: number): void {
  const [, w, , scales] = s.in as readonly [Arg, Arg, Arg, Arg];
  const { block } = s.attrs;
  const [o, k] = w.shape as readonly [number, number];
  const blocks = scales.shape[1]!;
  const biased = [0x88, 0x08]; // the two bytes of a lane of zeros
  for (let at = 0; at < out.length; at += group)
    for (let i = 0; i < group; i++) out[at + i] = i % (16 * block + 32) < 32 ? 0 : biased[i & 1]!;
  for (let c = 0; c < o; c++) {
    const [nibble, from] = [(c >> 2) & 3, (c >> 5) * group + (c & 16) + (c & 3) * 4];
    for (let j = 0; j < blocks; j++)
      out[from + j * (16 * block + 32) + nibble] = scales.data![c * blocks + j]! - scales.zp;
    for (let i = 0; i < k; i++) {
      const to = from + 32 * (floorDiv(i, block) + 1) + 32 * (i >> 1) + 2 * (i & 1) + (nibble >> 1);
      out[to]! ^= (i4At(w.data!, c * k + i) & 15) << (4 * (nibble & 1));
    }
  }
}
