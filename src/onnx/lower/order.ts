/**
 * Running sums, the first k in order, and boxes that are kept by score.
 * @module
 */
import { sizeOf } from '../../quant/float-graph.ts';
import type { LowerContext, OpLowering } from './context.ts';

const CumSum: OpLowering = (c) => {
  const view = c.unshaped(0);
  const at = c.intsInput(1, 'the axis');
  if (at.length !== 1) c.fail('BadGraph', 'the axis must be one value');
  const axis = view.perm[c.axisIn(at[0]!, view.perm.length)]!;
  const op = {
    kind: 'cumsum',
    axis,
    exclusive: c.int('exclusive', 0) !== 0,
    reverse: c.int('reverse', 0) !== 0,
  } as const;
  c.set({ ...view, id: c.emit(op, [view.id], c.graph.stored(view.id)) });
};

const TopK: OpLowering = (c) => {
  const view = c.unshaped(0);
  const [k = -1] = c.opset < 10 ? [c.int('k', -1)] : c.intsInput(1, 'K');
  const axis = view.perm[c.axisIn(c.int('axis', -1), view.perm.length)]!;
  const stored = c.graph.stored(view.id);
  if (!(k >= 1 && k <= stored[axis]!)) c.fail('BadGraph', `the first ${k} of an axis of ${stored[axis]}`);
  const shape = stored.map((d, i) => (i === axis ? k : d));
  const op = { kind: 'topk', axis, k, smallest: c.int('largest', 1) === 0 } as const;
  c.set({ ...view, id: c.emit({ ...op, what: 'values' }, [view.id], shape) });
  c.set({ ...view, id: c.emit({ ...op, what: 'indices' }, [view.id], shape, 'int') }, 1);
};

const OPEN = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;

/** Boxes [B,N,4] of centre and size as two corners. */
function corners(c: LowerContext, boxes: number): number {
  const half = [...c.graph.stored(boxes).slice(0, 2), 2];
  const part = (at: number): number => {
    const op = { kind: 'slice', start: [0, 0, at], step: [1, 1, 1], size: half } as const;
    return c.emit(op, [boxes], half);
  };
  const [centre, size] = [part(0), part(2)];
  const side = (cb: number): number => c.emit({ kind: 'linear', ca: 1, cb, ...OPEN }, [centre, size], half);
  return c.emit({ kind: 'concat', axis: 2 }, [side(-0.5), side(0.5)], c.graph.stored(boxes));
}

/**
 * NonMaxSuppression: the source's rows (batch, class, box), `limit` of them for every class of every batch; those behind the
 * kept ones have the box −1, since the number of rows cannot depend on the data.
 */
const NonMaxSuppression: OpLowering = (c) => {
  const one = (i: number, what: string, fallback: number): number => (c.given(i) ? c.intsInput(i, what)[0]! : fallback);
  const [batch, channels, n] = c.shape(1) as [number, number, number];
  if (c.shape(0).length !== 3 || c.shape(1).length !== 3) c.fail('BadGraph', 'boxes and scores have three axes');
  const limit = Math.min(one(2, 'the number of boxes', 0), n);
  if (!(limit >= 1)) c.fail('UnsupportedForm', 'no boxes are asked for: max_output_boxes_per_class is 0');
  const boxes = c.plain(0);
  const op = {
    kind: 'nms',
    overlap: one(3, 'the overlap', 0),
    threshold: one(4, 'the threshold', Number.NEGATIVE_INFINITY),
    limit,
  } as const;
  const own = c.int('center_point_box', 0) === 0 ? boxes : corners(c, boxes);
  const shape = [batch, channels, limit];
  const rows = sizeOf(shape);
  const kept = c.graph.reshape(c.node, c.emit(op, [own, c.plain(1)], shape, 'int'), [rows, 1]);
  const data = Float64Array.from({ length: rows * 2 }, (_, i) => {
    const row = Math.floor(i / 2 / limit);
    return i % 2 === 0 ? Math.floor(row / channels) : row % channels;
  });
  const places = c.graph.constant(c.node, { dtype: 'int64', shape: [rows, 2], data });
  c.setPlain(c.emit({ kind: 'concat', axis: 1 }, [places, kept], [rows, 3]));
};

/** Ops by order. */
export const ORDER: Readonly<Record<string, OpLowering>> = { CumSum, NonMaxSuppression, TopK };
