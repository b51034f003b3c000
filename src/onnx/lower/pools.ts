import type { LowerContext, OpLowering } from './context.ts';
import { resolveWindow } from './window.ts';

function pool(c: LowerContext, kind: 'max_pool2d' | 'avg_pool2d'): void {
  const rank = c.shape(0).length;
  if ((c.node.outputs[1] ?? '') !== '') c.fail('UnsupportedForm', 'the Indices output is not supported');
  if (c.int('storage_order', 0) !== 0) c.fail('UnsupportedForm', 'only storage_order 0 is supported');
  if (rank !== 3 && rank !== 4) c.fail('UnsupportedForm', 'only 1-D and 2-D pools are supported');
  const x = c.image(0);
  const [n, h, w, channels] = c.graph.stored(x) as [number, number, number, number];
  const kernel = c.ints('kernel_shape', new Array<number>(rank - 2).fill(0));
  const { out, ...window } = resolveWindow(c, rank - 2, [h, w], kernel);
  const includePad = kind === 'avg_pool2d' && c.int('count_include_pad', 0) !== 0;
  c.setImage(c.emit({ kind, ...window, includePad }, [x], [n, ...out, channels]), rank);
}

/** MaxPool: 1-D and 2-D, ceil_mode as overhang. */
export const MaxPool: OpLowering = { lower: (c) => pool(c, 'max_pool2d') };

/** AveragePool: 1-D and 2-D, count_include_pad kept. */
export const AveragePool: OpLowering = { lower: (c) => pool(c, 'avg_pool2d') };

/** GlobalAveragePool: the mean over H and W, axes kept as size 1. */
export const GlobalAveragePool: OpLowering = {
  lower(c) {
    const rank = c.shape(0).length;
    const x = c.image(0);
    const [n, , , channels] = c.graph.stored(x) as [number, number, number, number];
    const mean = c.emit({ kind: 'mean', axes: [1, 2] }, [x], [n, channels]);
    c.setImage(c.graph.reshape(c.node, mean, [n, 1, 1, channels]), rank);
  },
};
