/**
 * Where the boxes of a graph stand: rows by the longest path from the inputs, within a row near what they read.
 * @module
 */

/** A box, and the boxes that it reads. */
export interface Box {
  readonly lines: readonly [title: string, ...more: string[]];
  readonly from: readonly number[];
  readonly colour: 'blue' | 'orange' | 'green' | 'soft';
  readonly link?: string;
  readonly hover?: string;
}

/** Place of a box. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Size of a box and the room around it. */
export const SIZE = { width: 196, height: 46, across: 22, down: 26 } as const;

/** Places of all boxes, and the extent of the drawing. Boxes stand behind those that they read. */
export function layout(boxes: readonly Box[]): {
  readonly places: readonly Place[];
  readonly width: number;
  readonly height: number;
} {
  const rank: number[] = [];
  for (const [i, b] of boxes.entries()) rank[i] = Math.max(-1, ...b.from.map((f) => rank[f]!)) + 1;
  const rows: number[][] = [];
  boxes.forEach((_, i) => (rows[rank[i]!] ??= []).push(i));
  const columns = Math.max(1, ...rows.map((r) => r.length));
  const step = SIZE.width + SIZE.across;
  const centre: number[] = [];
  for (const row of rows) {
    const wish = (i: number): number => {
      const { from } = boxes[i]!;
      return from.length === 0 ? columns / 2 : from.reduce((s, f) => s + centre[f]!, 0) / from.length;
    };
    const order = row.map((i) => ({ i, at: wish(i) })).sort((a, b) => a.at - b.at || a.i - b.i);
    const middle = order.reduce((s, o) => s + o.at, 0) / order.length;
    let next = Math.max(0, Math.min(columns - order.length, middle - order.length / 2));
    for (const { i, at } of order) {
      const left = order.length - order.findIndex((o) => o.i === i);
      next = Math.min(Math.max(next, at - 0.5), columns - left);
      centre[i] = next + 0.5;
      next += 1;
    }
  }
  const places = boxes.map((_, i) => ({
    x: (centre[i]! - 0.5) * step + 8,
    y: rank[i]! * (SIZE.height + SIZE.down) + 8,
  }));
  return { places, width: columns * step + 8, height: rows.length * (SIZE.height + SIZE.down) + 8 };
}
