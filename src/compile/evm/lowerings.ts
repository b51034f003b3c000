/**
 * The lowering of every op that has an EVM form.
 * @module
 */
import type { OpName } from '../../ops/index.ts';
import type { Emitter } from './emitter.ts';
import { emitProducts } from './products.ts';

/** Writes the outputs of node `i`. */
export type Lowering = (e: Emitter, i: number) => void;

/** Lowerings by op; an op without one is refused. */
export const LOWERINGS: Readonly<Partial<Record<OpName, Lowering>>> = {
  dense: emitProducts,
  conv2d: emitProducts,
  reshape: () => undefined,
};
