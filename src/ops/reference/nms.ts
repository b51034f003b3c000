/**
 * The one-element reference of nms (spec/10-ops.md).
 * @module
 */
import type { Cell, Reference } from '../define.ts';
import type { In, NmsAttrs } from '../nms.ts';

type NmsCell = Cell<NmsAttrs, In>;

/** The cell’s row of scores: its first element, and the first coordinate of its boxes. */
function row({ in: [boxes, scores], at }: NmsCell): {
  readonly first: number;
  readonly box: number;
  readonly n: number;
} {
  const [, channels, n] = scores.shape as readonly [number, number, number];
  return { first: (at[0]! * channels + at[1]!) * n, box: at[0]! * boxes.strides[0]!, n };
}

/** Sides of the corner boxes i along an axis, sorted. */
function side(c: NmsCell, box: number, i: number, axis: number): readonly [number, number] {
  const { data } = c.in[0];
  const [p, q] = [data[box + 4 * i + axis]!, data[box + 4 * i + axis + 2]!];
  return p < q ? [p, q] : [q, p];
}

/** True if boxes i and j overlap by more than t15/2^15 of their union; areas are below 2^31. */
function overlaps(c: NmsCell, box: number, i: number, j: number): boolean {
  let [inter, p, q] = [1, 1, 1];
  for (const axis of [0, 1]) {
    const [a, b] = [side(c, box, i, axis), side(c, box, j, axis)];
    inter *= Math.max(0, Math.min(a[1], b[1]) - Math.max(a[0], b[0]));
    p *= a[1] - a[0];
    q *= b[1] - b[0];
  }
  return inter * 32768 > c.a.t15 * (p + q - inter);
}

/** Element i comes before element j of the order. */
function precedes(c: NmsCell, first: number, i: number, j: number): boolean {
  const { data } = c.in[1];
  const [p, q] = [data[first + i]!, data[first + j]!];
  return p === q ? i < j : p > q;
}

/** The one-element reference of nms: an index follows from those before it. */
export const nmsSteps: Reference<NmsAttrs, In> = {
  steps: [
    {
      name: 'indices',
      output: 0,
      element(c) {
        const { first, box, n } = row(c);
        const y = c.out[0]!;
        const slot = c.at[2]!;
        const start = (c.at[0]! * y.shape[1]! + c.at[1]!) * y.shape[2]!;
        const last = slot === 0 ? -1 : y.data[start + slot - 1]!;
        if (slot > 0 && last < 0) return -1;
        let best = -1;
        for (let i = 0; i < n; i++) {
          if (c.in[1].data[first + i]! <= c.a.threshold || (last >= 0 && !precedes(c, first, last, i))) continue;
          if (best >= 0 && !precedes(c, first, i, best)) continue;
          let free = true;
          for (let k = 0; k < slot && free; k++) free = !overlaps(c, box, y.data[start + k]!, i);
          if (free) best = i;
        }
        return best;
      },
    },
    {
      name: 'count',
      output: 1,
      element(c) {
        const y = c.out[0]!;
        const start = (c.at[0]! * y.shape[1]! + c.at[1]!) * y.shape[2]!;
        let count = 0;
        while (count < y.shape[2]! && y.data[start + count]! >= 0) count++;
        return count;
      },
    },
  ],
};
