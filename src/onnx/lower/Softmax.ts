import { sizeOf } from '../../quant/float-graph.ts';
import type { OpLowering } from './context.ts';

/** Softmax over one axis; before opset 13 over all axes from `axis` on, flattened. */
export const Softmax: OpLowering = {
  lower(c) {
    const shape = c.shape(0);
    const given = c.int('axis', c.opset < 13 ? 1 : -1);
    const axis = given < 0 ? given + shape.length : given;
    if (axis < 0 || axis >= shape.length) c.fail('BadGraph', `axis ${given} is outside rank ${shape.length}`);
    if (c.opset < 13 && axis !== shape.length - 1) {
      const flat = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
      const y = c.emit({ kind: 'softmax' }, [c.graph.reshape(c.node, c.plain(0), flat)], flat);
      c.setPlain(c.graph.reshape(c.node, y, shape));
    } else {
      const view = c.channelsLast(c.view(0), axis);
      c.set({ ...view, id: c.emit({ kind: 'softmax' }, [view.id], c.graph.stored(view.id)) });
    }
  },
};
