import { sizeOf } from '../../quant/float-graph.ts';
import type { OpLowering } from './context.ts';

/** Softmax or its logarithm over one axis; before opset 13 over all axes from `axis` on, flattened. */
function softmax(kind: 'softmax' | 'log_softmax'): OpLowering {
  return (c) => {
    const shape = c.shape(0);
    const axis = c.axisIn(c.int('axis', c.opset < 13 ? 1 : -1), shape.length);
    if (c.opset < 13 && axis !== shape.length - 1) {
      const flat = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
      const y = c.emit({ kind }, [c.graph.reshape(c.node, c.plain(0), flat)], flat);
      c.setPlain(c.graph.reshape(c.node, y, shape));
    } else {
      const view = c.channelsLast(c.view(0), axis);
      c.set({ ...view, id: c.emit({ kind }, [view.id], c.graph.stored(view.id)) });
    }
  };
}

/** Softmax. */
export const Softmax: OpLowering = softmax('softmax');

/** LogSoftmax. */
export const LogSoftmax: OpLowering = softmax('log_softmax');
