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

/** The indices of the cell's row as far as they are known: `y` from its start, how many there can be, and the last one. */
function kept(c: NmsCell): { readonly y: (k: number) => number; readonly limit: number; readonly last: number } {
  const [{ data, shape }] = c.out as readonly [NmsCell['out'][number]];
  const limit = shape[2]!;
  const start = (c.at[0]! * shape[1]! + c.at[1]!) * limit;
  const slot = c.at[2] ?? 0;
  return { y: (k) => data[start + k]!, limit, last: slot === 0 ? -1 : data[start + slot - 1]! };
}

/** True if element i passes the threshold and comes behind the last index. */
function eligible(c: NmsCell, first: number, last: number, i: number): boolean {
  return c.in[1].data[first + i]! > c.a.threshold && (last < 0 || precedes(c, first, last, i));
}

/** True if no box kept before the cell's slot overlaps box i. */
function free(c: NmsCell, box: number, y: (k: number) => number, i: number): boolean {
  for (let k = 0; k < c.at[2]!; k++) if (overlaps(c, box, y(k), i)) return false;
  return true;
}

/** True if nothing is kept any more: the slot before is empty. */
function over(c: NmsCell, last: number): boolean {
  return c.at[2]! > 0 && last < 0;
}

/** The one-element reference of nms: an index follows from those before it. */
export const nmsSteps: Reference<NmsAttrs, In> = {
  steps: [
    {
      name: 'indices',
      output: 0,
      element(c) {
        const { first, box, n } = row(c);
        const { y, last } = kept(c);
        if (over(c, last)) return -1;
        let best = -1;
        for (let i = 0; i < n; i++) {
          if (!eligible(c, first, last, i) || (best >= 0 && !precedes(c, first, i, best))) continue;
          if (free(c, box, y, i)) best = i;
        }
        return best;
      },
      // A claim is right iff it may stand there, and nothing that comes before it may; −1 iff nothing may.
      check: {
        terms: (c) => row(c).n,
        part(c, claim, from, to) {
          const { first, box, n } = row(c);
          const { y, last } = kept(c);
          if (over(c, last) || claim >= n) return 0;
          let count = 0;
          for (let i = from; i < to; i++) {
            if (i === claim || !eligible(c, first, last, i) || (claim >= 0 && !precedes(c, first, i, claim))) continue;
            if (free(c, box, y, i)) count++;
          }
          return count;
        },
        holds(c, claim, count) {
          const { first, box, n } = row(c);
          const { y, last } = kept(c);
          if (count !== 0 || claim < -1) return false;
          if (over(c, last) || claim < 0) return claim === -1;
          return claim < n && eligible(c, first, last, claim) && free(c, box, y, claim);
        },
      },
    },
    {
      name: 'count',
      output: 1,
      element(c) {
        const { y, limit } = kept(c);
        let count = 0;
        while (count < limit && y(count) >= 0) count++;
        return count;
      },
      check: {
        terms: () => 0,
        part: () => 0,
        holds(c, claim) {
          const { y, limit } = kept(c);
          if (claim < 0 || claim > limit) return false;
          return (claim === 0 || y(claim - 1) >= 0) && (claim === limit || y(claim) < 0);
        },
      },
    },
  ],
};
