import type { LowerContext, OpLowering } from './context.ts';
import { resolveWindow } from './window.ts';

function pool(c: LowerContext, kind: 'max_pool2d' | 'avg_pool2d'): void {
  const rank = c.shape(0).length;
  c.onlyOutput('Indices');
  if (c.domain(0) !== 'real') c.fail('UnsupportedForm', 'pools of integer data are not supported');
  if (rank !== 3 && rank !== 4) c.fail('UnsupportedForm', 'only 1-D and 2-D pools are supported');
  const x = c.image(0);
  const [n, , , channels] = c.graph.stored(x) as [number, number, number, number];
  const { out, ...window } = resolveWindow(c, c.ints('kernel_shape', new Array<number>(rank - 2).fill(0)));
  const includePad = kind === 'avg_pool2d' && c.int('count_include_pad', 0) !== 0;
  c.setImage(c.emit({ kind, ...window, includePad }, [x], [n, ...out, channels]), rank);
}

/** MaxPool: 1-D and 2-D, ceil_mode as overhang. */
export const MaxPool: OpLowering = (c) => pool(c, 'max_pool2d');

/** AveragePool: 1-D and 2-D, count_include_pad kept. */
export const AveragePool: OpLowering = (c) => pool(c, 'avg_pool2d');

/** Reduction over all spatial axes, kept as size 1. */
function global(how: 'mean' | 'max'): OpLowering {
  return (c) => {
    const rank = c.shape(0).length;
    const x = c.image(0);
    const [n, , , channels] = c.graph.stored(x) as [number, number, number, number];
    const mean = c.emit({ kind: 'reduce', how, axes: [1, 2] }, [x], [n, channels]);
    c.setImage(c.graph.reshape(c.node, mean, [n, 1, 1, channels]), rank);
  };
}

/** GlobalAveragePool: the mean over H and W, axes kept as size 1. */
export const GlobalAveragePool: OpLowering = global('mean');

/** GlobalMaxPool: the maximum over H and W, axes kept as size 1. */
export const GlobalMaxPool: OpLowering = global('max');
