/**
 * Products of rows by one level of Strassen’s algorithm (kernels/wasm/strassen.ts).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import type { Arg, Builder } from '../builder.ts';
import type { Prepared } from '../call.ts';
import { type Site, STRASSEN_K } from '../kernels.ts';
import { matrixWords, multipliers, panels, words } from '../pack.ts';

type Rows = Site<'conv2d'> | Site<'dense'>;

/** Rows, outputs and K of contiguous rows times weights; undefined for what is none: other than 1×1 and plain, or i4. */
function sizes({ attrs, in: operands, out }: Rows): readonly [rows: number, o: number, k: number] | undefined {
  const [x, w, , scales] = operands as readonly [Arg, Arg, Arg, Arg?];
  const o = w.shape[0]!;
  if (x.dtype !== 'i8' || scales !== undefined) return undefined;
  if ('groups' in attrs) {
    const { groups, strides, pads } = attrs;
    const plain = groups === 1 && w.shape[1] === 1 && w.shape[2] === 1;
    if (!plain || strides.some((v) => v !== 1) || pads.some((v) => v !== 0)) return undefined;
  }
  return [floorDiv(out[0]!.count, o), o, w.shape[w.shape.length - 1]!];
}

/** Whether the kernel computes a product and gains: whole quadrants, and few rows in vain. */
export function strassenFits(s: Rows): boolean {
  const [rows, o, k] = sizes(s) ?? [0, 0, 0];
  return (
    rows >= 64 && o >= 96 && o % 16 === 0 && k % 16 === 0 && k >= STRASSEN_K && 32 * rows >= 31 * ((rows + 7) & ~7)
  );
}

/** Bytes of a block of left operands: they stay in the second-level cache beside the right ones. */
const BLOCK_BYTES = 393216;

/** Prepares a product that `strassenFits`. */
export function strassen(s: Rows, b: Builder): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const [rows, o, k] = sizes(s)!;
  const { stage } = s.attrs;
  const groups = (rows + 7) >> 3;
  const blocks = floorDiv(groups * 28 * k + BLOCK_BYTES - 1, BLOCK_BYTES);
  const block = floorDiv(groups + blocks - 1, blocks);
  const right = 56 * k;
  b.scratch(right + block * 896);
  const columns = {
    k,
    count: o,
    panels: panels(b, { data: w.data as Int8Array, groups: 1, count: o, k, size: 1 }, 1),
    bias: words(b, o, (i) => bias.data![i]!),
    m: multipliers(b, stage?.m, o),
    stage,
    ld: o,
  };
  const left = b.workspace(groups * 28 * k);
  const record = b.record([rows, k, x.zp, left, block, 0, right, 0, ...matrixWords(columns)]);
  const name = 'groups' in s.attrs ? 'conv1x1' : 'dense_w8';
  return {
    kernel: `${name}_strassen_i8`,
    calls: [
      { fn: 'strassenRows', units: groups, args: [record, b.at(x)] },
      { fn: 'strassen', units: floorDiv(groups + block - 1, block) * (o >> 4), args: [record, b.at(s.out[0]!)] },
    ],
  };
}
