/**
 * Adapters of the vectors of orders, draws and rotations (elements.ts holds the others).
 * @module
 */
import type { Known } from './elements-cells.ts';
import type { NodeCase } from './node.ts';
import { flat, type Json, type Nested, nested, operand, type Shaped, shapeOf, stage } from './operands.ts';

/** u32 words as i32. */
function words(v: readonly number[]): number[] {
  return v.map((w) => w | 0);
}

/** One pair of columns at one position. */
export function rope(a: Json, i: Json): NodeCase {
  const attrs = { step: words([i.step]), interleaved: false, position: i.pos, stage: stage({ ...a, m: [a.m] }) };
  return { op: 'rope', attrs, operands: [operand([1, 2], [i.x1, i.x2], 0)] };
}

/** Rows from a position on. */
export function ropeRows(a: Json, i: Json): NodeCase {
  const step = words(i.step);
  const attrs = { step, interleaved: Boolean(a.interleaved), position: i.pos0, stage: stage({ ...a, m: [a.m] }) };
  return { op: 'rope', attrs, operands: [nested(i.x as Nested)] };
}

/** Row r of equal rows, the last one. */
function draw(a: Json, x: readonly number[], seed: readonly number[], step: number, r: number): NodeCase {
  const { l, m, k, p16 } = a;
  const rows = Array.from({ length: r + 1 }, () => x).flat();
  const operands = [
    operand([r + 1, x.length], rows),
    operand([2], words(seed), 0, 'i32'),
    operand([1], words([step]), 0, 'i32'),
  ];
  return { op: 'sample', attrs: { l, m, k, p16 }, operands };
}

/** A draw and the index that it gives. */
export function sample(a: Json, i: Json, expected: number): Known {
  const outputs = [[expected]];
  return { ...draw(a, i.x, i.seed, i.step, i.row), outputs, only: { out: [i.row] } };
}

/** What a draw commits. */
export function sampleFacts(a: Json, i: Json, e: Json): Known {
  const steps = { mx: [e.mx], sum: [e.S], n: [e.n], cut_sum: [e.cut_sum] };
  return { ...draw(a, i.x, [1, 2], 0, 0), outputs: [undefined], steps };
}

/** topk of one line. */
export function topk(a: Json, i: Json, e: Json): Known {
  const attrs = { axis: 0, k: a.k, smallest: !a.largest };
  return { op: 'topk', attrs, operands: [operand([(i.x as number[]).length], i.x)], outputs: [e.values, e.indices] };
}

/** Rows of a tensor replaced. */
export function update(a: Json, i: Json, e: Shaped): Known {
  const { dtype } = operand([], [...i.state.data, ...i.new.data]);
  const whole = (t: Shaped) => operand(t.shape, t.data, 0, dtype);
  const operands = [whole(i.state), whole(i.new), operand([1], [i.pos], 0, 'i32')];
  return { op: 'update', attrs: { axis: a.axis }, operands, outputs: [e.data] };
}

/** Boxes [B,N,4] and scores [B,C,N], or one row of them. */
export function nms(a: Json, i: Json, e: Json): Known {
  const one = typeof i.scores[0] === 'number';
  const [boxes, scores] = (one ? [[i.boxes], [[i.scores]]] : [i.boxes, i.scores]) as [Nested, Nested];
  const attrs = { t15: a.t15, threshold: a.score_threshold, limit: a.limit };
  const padded = one ? Array.from({ length: a.limit }, (_, k) => e[k] ?? -1) : flat(e.indices);
  const count = one ? [e.length] : flat(e.count);
  const [b, n] = shapeOf(boxes) as [number, number];
  const coordinates = flat(boxes);
  const wide = coordinates.some((v) => v < -32768 || v > 32767);
  const operands = [operand([b, n, 4], coordinates, 0, wide ? 'i32' : 'i16'), operand(shapeOf(scores), flat(scores))];
  return { op: 'nms', attrs, operands: ranged(operands), outputs: [padded, count] };
}

/** Boxes of the interval of their values: the areas of others would leave 31 bits. */
function ranged([boxes, ...rest]: ReturnType<typeof operand>[]): ReturnType<typeof operand>[] {
  const data = boxes!.data!;
  return [{ ...boxes!, lo: Math.min(0, ...data), hi: Math.max(0, ...data) }, ...rest];
}
