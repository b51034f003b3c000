/**
 * A transposed convolution as plain ones: outputs whose index has one remainder by the stride meet the same taps, and along
 * these taps the image is a window of stride 1 (spec/10-ops.md §2).
 * @module
 */
import { floorDiv, gcd } from '../core/int.ts';

/** One axis: outputs first, first + stride, …, their taps in the order of the image, and the window that these are. */
export interface Phase {
  readonly first: number;
  readonly count: number;
  readonly taps: readonly number[];
  readonly dilation: number;
  readonly pad: number;
}

/** The phases of an axis that meet any tap, at most one a tap. */
export function phasesOf(kernel: number, stride: number, dilation: number, pad: number, out: number): Phase[] {
  const found = new Map<number, number[]>();
  for (let k = kernel - 1; k >= 0; k--) {
    const at = k * dilation - pad;
    const first = at - floorDiv(at, stride) * stride;
    if (first >= out) continue;
    const taps = found.get(first);
    if (taps === undefined) found.set(first, [k]);
    else taps.push(k);
  }
  return [...found].map(([first, taps]) => ({
    first,
    count: floorDiv(out - first + stride - 1, stride),
    taps,
    dilation: floorDiv(dilation, gcd(dilation, stride)),
    pad: -floorDiv(first + pad - taps[0]! * dilation, stride),
  }));
}

/** Weights [O,KH,KW,C/g] at some rows and columns of the kernel. */
export function weightsAt(
  w: { readonly shape: readonly number[]; readonly data?: ArrayLike<number> | undefined },
  rows: readonly number[],
  columns: readonly number[],
): Int8Array {
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  const out = new Int8Array(o * rows.length * columns.length * cg);
  let to = 0;
  for (let k = 0; k < o; k++)
    for (const y of rows)
      for (const x of columns) for (let j = 0; j < cg; j++) out[to++] = w.data![((k * kh + y) * kw + x) * cg + j]!;
  return out;
}
