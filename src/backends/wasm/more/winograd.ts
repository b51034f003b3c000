/**
 * 3×3 convolutions as Winograd F(2×2, 3×3) (kernels/wasm/winograd.ts).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { multipliers, stageWords, words, zeroRow } from '../pack.ts';

/** Bytes of a block of transformed inputs: it stays in the second-level cache beside a panel. */
const BLOCK_BYTES = 262144;

/** Weights U = GwGᵀ of a doubled G as panels [O/8][16][C/2][8][2]: w is [O,3,3,C]. */
function transformed(out: Int16Array, w: Int8Array, count: number, channels: number): void {
  const u = new Int32Array(16);
  const rows = new Int32Array(12);
  for (let o = 0; o < count; o++) {
    for (let c = 0; c < channels; c++) {
      const from = o * 9 * channels + c;
      for (let j = 0; j < 3; j++) {
        const [a, b, d] = [w[from + j * channels]!, w[from + (3 + j) * channels]!, w[from + (6 + j) * channels]!];
        rows[j] = 2 * a;
        rows[3 + j] = a + b + d;
        rows[6 + j] = a - b + d;
        rows[9 + j] = 2 * d;
      }
      for (let i = 0; i < 4; i++) {
        const [a, b, d] = [rows[3 * i]!, rows[3 * i + 1]!, rows[3 * i + 2]!];
        u[4 * i] = 2 * a;
        u[4 * i + 1] = a + b + d;
        u[4 * i + 2] = a - b + d;
        u[4 * i + 3] = 2 * d;
      }
      const to = (o >> 3) * 128 * channels + (c >> 1) * 16 + (o & 7) * 2 + (c & 1);
      for (let i = 0; i < 16; i++) out[to + i * 8 * channels] = u[i]!;
    }
  }
}

/**
 * Whether a convolution is exact and gains: strides 1, whole vectors of channels, i8 in and staged, 4·Σ an int32
 * (spec/10-ops.md §10, fact 5), and outputs that are not mostly the overhang of the last tiles.
 */
export function winogradFits(s: Site<'conv2d'>): boolean {
  const [x, w] = s.in as readonly [Arg, Arg];
  const { strides, dilations, groups, stage } = s.attrs;
  const [o, kh, kw, c] = w.shape as readonly [number, number, number, number];
  const [, oh, ow] = s.out[0]!.shape as readonly [number, number, number, number];
  return (
    kh === 3 &&
    kw === 3 &&
    groups === 1 &&
    strides.every((v) => v === 1) &&
    dilations.every((v) => v === 1) &&
    x.dtype === 'i8' &&
    stage !== undefined &&
    c >= 16 &&
    c % 8 === 0 &&
    o % 8 === 0 &&
    s.facts['bound']! < 536870912 &&
    2 * oh * ow >= 3 * ((oh + 1) >> 1) * ((ow + 1) >> 1)
  );
}

/** Prepares a convolution that `winogradFits`. */
export function winograd(s: Site<'conv2d'>, b: Builder): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const { pads, stage } = s.attrs;
  const [n, oh, ow, o] = s.out[0]!.shape as readonly [number, number, number, number];
  const [, h, width, c] = x.shape as readonly [number, number, number, number];
  const [down, across] = [(oh + 1) >> 1, (ow + 1) >> 1];
  const tiles = n * down * across;
  const groups = (tiles + 3) >> 2;
  const block = Math.max(1, Math.min(groups, floorDiv(BLOCK_BYTES, 128 * c)));
  const length = 16 * o * c;
  const u = b.reserve(length * 2, (memory, at) =>
    transformed(new Int16Array(memory, at, length), w.data as Int8Array, o, c),
  );
  const products = block * 128 * c;
  b.scratch(products + block * 2048 + 512);
  const record = b.record([
    tiles,
    across,
    down * across,
    oh,
    ow,
    h,
    width,
    c,
    pads[0]!,
    pads[1]!,
    x.zp,
    zeroRow(b, x, c),
    block,
    o >> 3,
    u,
    words(b, o, (i) => bias.data![i]!),
    multipliers(b, stage?.m, o),
    ...stageWords(stage),
    0,
    products,
  ]);
  return prepared('conv_winograd_i8', 'winograd', groups, record, b.at(x), b.at(s.out[0]!));
}
