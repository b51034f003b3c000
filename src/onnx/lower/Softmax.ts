import { type LogSoftmax as FloatLogSoftmax, type Softmax as FloatSoftmax, sizeOf } from '../../quant/float-graph.ts';
import type { OpLowering } from './context.ts';

/** Softmax or its logarithm over one axis; before opset 13 over all axes from `axis` on, flattened. */
function softmax(op: FloatSoftmax | FloatLogSoftmax): OpLowering {
  return (c) => {
    const shape = c.shape(0);
    const axis = c.axisIn(c.int('axis', c.opset < 13 ? 1 : -1), shape.length);
    if (c.opset < 13 && axis !== shape.length - 1) {
      const flat = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
      const y = c.emit(op, [c.graph.reshape(c.node, c.plain(0), flat)], flat);
      c.setPlain(c.graph.reshape(c.node, y, shape));
    } else {
      const view = c.channelsLast(c.view(0), axis);
      c.set({ ...view, id: c.emit(op, [view.id], c.graph.stored(view.id)) });
    }
  };
}

/** Softmax. */
export const Softmax: OpLowering = softmax({ kind: 'softmax', causal: null });

/** LogSoftmax. */
export const LogSoftmax: OpLowering = softmax({ kind: 'log_softmax' });
