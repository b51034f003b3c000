/**
 * Operands of one elementwise op brought to one layout: that of the first operand that is not in ONNX order, so that an
 * image stays NHWC and constants take the image's order at no cost.
 * @module
 */
import { broadcastShapes, permute } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import { identity, isIdentity, type View } from './builder.ts';
import type { LowerContext } from './context.ts';

/** Operands in one layout: stored ids whose axes broadcast, the stored shape of the result, and how ONNX axes map to it. */
export interface Aligned {
  readonly ids: readonly number[];
  readonly shape: readonly number[];
  readonly perm: readonly number[];
}

/** An array with leading axes of size 1 up to `rank`. */
function widened(x: OnnxArray, rank: number): OnnxArray {
  return { ...x, shape: [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape] };
}

/** A constant operand in the layout `perm` (stored axis perm[i] holds ONNX axis i). */
export function constantIn(x: OnnxArray, perm: readonly number[]): OnnxArray {
  return permute(
    widened(x, perm.length),
    perm.map((_, stored) => perm.indexOf(stored)),
  );
}

/** A view as a stored tensor of layout `perm`; one of lower rank gets leading axes of size 1. */
function viewIn(c: LowerContext, view: View, perm: readonly number[]): number {
  const v = c.graph.unshaped(c.node, view);
  const axes = perm.map((_, stored) => perm.indexOf(stored)); // ONNX axis of each stored axis
  if (v.perm.length === perm.length) return c.graph.ordered(c.node, v, axes);
  const plain = c.graph.plain(c.node, v);
  const extra = perm.length - v.perm.length;
  const wide = c.graph.reshape(c.node, plain, [...new Array<number>(extra).fill(1), ...c.graph.stored(plain)]);
  return c.graph.transpose(c.node, wide, axes);
}

/** The layout that inputs `of` shall share: the lead operand's, or ONNX order. */
export function commonLayout(c: LowerContext, of: readonly number[], rank: number): readonly number[] {
  for (const i of of) {
    if (c.constant(i)) continue;
    const view = c.view(i);
    if (!view.shape && view.perm.length === rank && !isIdentity(view.perm)) return view.perm;
  }
  return identity(rank);
}

/** Brings inputs `of` to one layout; constants become tensors of the graph. */
export function align(c: LowerContext, of: readonly number[]): Aligned {
  const shapes = of.map((i) => c.shape(i));
  const full =
    broadcastShapes(shapes) ??
    c.fail('BadGraph', `shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`);
  const perm = commonLayout(c, of, full.length);
  const ids = of.map((i) => {
    const constant = c.constant(i);
    if (!constant) return viewIn(c, c.view(i), perm);
    return c.graph.constant(c.node, constantIn(constant, perm));
  });
  return { ids, perm, shape: perm.map((_, stored) => full[perm.indexOf(stored)]!) };
}
