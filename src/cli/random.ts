/**
 * Random and boundary inputs of a model from a seed: the same on every machine.
 * @module
 */
import { dimAt } from '../core/dim.ts';
import { allocate, elementCount, type Tensor } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import { ownInputs, shapeAt } from './signature.ts';
import { Random } from './splitmix.ts';

export { Random };

/** Symbol values: the least, the greatest, or between, but at most `cap` where the range allows. */
export function randomDims(model: Model, random: Random, cap = 64): number[] {
  return model.symbols.map((s) => random.edgy(s.min, Math.max(s.min, Math.min(s.max, cap))));
}

function randomInput(d: InputDecl, random: Random, dims: readonly number[]): Tensor {
  const shape = shapeAt(d, dims);
  const raw = allocate(d.dtype, elementCount(shape));
  const [lo, hi] = [dimAt(d.lo, dims), dimAt(d.hi, dims)];
  const kind = random.next() % 8; // a quarter at one end everywhere, a quarter edgy, half uniform
  if (kind === 0) raw.fill(lo);
  else if (kind === 1) raw.fill(hi);
  else for (let i = 0; i < raw.length; i++) raw[i] = kind < 4 ? random.edgy(lo, hi) : random.int(lo, hi);
  return d.u8
    ? { dtype: 'u8', shape, data: Uint8Array.from(raw, (v) => v + 128) }
    : { dtype: d.dtype, shape, data: raw };
}

/** Inputs of a run by name. */
export function randomInputs(model: Model, random: Random, dims: readonly number[]): Record<string, Tensor> {
  return Object.fromEntries(ownInputs(model).map((d) => [d.name, randomInput(d, random, dims)]));
}
