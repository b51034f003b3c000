/**
 * ONNX NonMaxSuppression.
 * @module
 */
import { overlap } from '../../quant/kernels/sequence.ts';
import type { EvalOp } from './context.ts';

/** Rows (batch, class, box) of the boxes kept, class by class, by score. */
const NonMaxSuppression: EvalOp = (c) => {
  const [boxes, scores] = [c.get(0), c.get(1)];
  const one = (i: number, fallback: number): number => c.inputs[i]?.data[0] ?? fallback;
  const [most, worst, least] = [one(2, 0), one(3, 0), one(4, Number.NEGATIVE_INFINITY)];
  const centre = c.int('center_point_box', 0) !== 0;
  const corners = boxes.data.map((v, i) => {
    if (!centre) return v;
    const at = i - (i % 2);
    const first = at % 4 === 0;
    return first ? v - boxes.data[i + 2]! / 2 : boxes.data[i - 2]! + v / 2;
  });
  const [batch, channels, n] = scores.shape as [number, number, number];
  const rows: number[] = [];
  for (let row = 0; row < batch * channels; row++) {
    const b = Math.floor(row / channels);
    const own = corners.subarray(b * n * 4, (b + 1) * n * 4);
    const score = scores.data.subarray(row * n, (row + 1) * n);
    const order = Array.from({ length: n }, (_, i) => i).filter((i) => score[i]! > least);
    order.sort((p, q) => score[q]! - score[p]! || p - q);
    const kept: number[] = [];
    for (const i of order) if (kept.length < most && kept.every((k) => !(overlap(own, k, i) > worst))) kept.push(i);
    for (const i of kept) rows.push(b, row % channels, i);
  }
  return { dtype: 'int64', shape: [rows.length / 3, 3], data: Float64Array.from(rows) };
};

/** Selection of boxes. */
export const BOXES: Readonly<Record<string, EvalOp>> = { NonMaxSuppression };
