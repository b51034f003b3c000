/**
 * Normalisation of rows with constant factors.
 * @module
 */
import { sizeOf } from '../../quant/float-graph.ts';
import type { UnaryFn } from '../../quant/unary.ts';
import { broadcastTo } from '../array.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** A factor per normalised element, or `fallback` where it is left out. */
function factor(c: LowerContext, i: number, shape: readonly number[], fallback: number): Float64Array {
  if (!c.given(i)) return new Float64Array(sizeOf(shape)).fill(fallback);
  const w = c.weights(i, i === 1 ? 'the scale' : 'the bias');
  return broadcastTo(w, shape).data;
}

/** Mean and 1/√(variance + eps) of each row of input 0, the second and third outputs, where they are asked for. */
function setMoments(c: LowerContext, axis: number, eps: number): void {
  if (!c.node.outputs.slice(1).some((o) => o !== '' && c.graph.isRead(o))) return;
  const shape = c.shape(0);
  const flat = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
  const kept = shape.map((d, i) => (i < axis ? d : 1));
  const x = c.graph.reshape(c.node, c.plain(0), flat);
  const mean = (id: number): number =>
    c.graph.reshape(c.node, c.emit({ kind: 'reduce', how: 'mean', axes: [1] }, [id], [flat[0]!]), [flat[0]!, 1]);
  const centre = mean(x);
  const less = { kind: 'linear', ca: 1, cb: -1, lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;
  const squares = c.emit({ kind: 'unary', fns: [{ fn: 'square' }] }, [c.emit(less, [x, centre], flat)], flat);
  const inverse: UnaryFn[] = [{ fn: 'affine', scale: 1, shift: eps }, { fn: 'sqrt' }, { fn: 'reciprocal' }];
  c.setPlain(c.graph.reshape(c.node, centre, kept), 1);
  const deviation = c.emit({ kind: 'unary', fns: inverse }, [mean(squares)], [flat[0]!, 1]);
  c.setPlain(c.graph.reshape(c.node, deviation, kept), 2);
}

/** Normalisation over the axes from `axis` on. */
function normalisation(rms: boolean): OpLowering {
  return (c) => {
    const shape = c.shape(0);
    const axis = c.axisIn(c.int('axis', -1), shape.length);
    const rows = shape.slice(axis);
    const op = {
      kind: 'layer_norm',
      gamma: factor(c, 1, rows, 1),
      beta: factor(c, 2, rows, 0),
      eps: c.float('epsilon', Math.fround(1e-5)),
      rms,
    } as const;
    if (!rms) setMoments(c, axis, op.eps);
    if (axis === shape.length - 1) {
      const view = c.channelsLast(c.view(0), axis);
      return c.set({ ...view, id: c.emit(op, [view.id], c.graph.stored(view.id)) });
    }
    const flat = [sizeOf(shape.slice(0, axis)), sizeOf(rows)];
    const y = c.emit(op, [c.graph.reshape(c.node, c.plain(0), flat)], flat);
    return c.setPlain(c.graph.reshape(c.node, y, shape));
  };
}

/** Normalisations. */
export const NORMS: Readonly<Record<string, OpLowering>> = {
  LayerNormalization: normalisation(false),
  RMSNormalization: normalisation(true),
  SimplifiedLayerNormalization: normalisation(true),
};
