/**
 * Random and boundary inputs of a model from a seed: the same on every machine.
 * @module
 */
import { dimAt } from '../core/dim.ts';
import { allocate, elementCount, type Tensor } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import { ownInputs, shapeAt } from './inputs.ts';

/** splitmix32: 2^32 states, integers only. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A uint32. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** An integer in lo…hi, at most 2^32 of them. */
  int(lo: number, hi: number): number {
    return lo + (this.next() % (hi - lo + 1));
  }

  /** As `int`, often at an end, at 0 or beside one of them. */
  edgy(lo: number, hi: number): number {
    const near = [lo, hi, 0, lo + 1, hi - 1][this.next() % 8] ?? this.int(lo, hi);
    return Math.min(Math.max(near, lo), hi);
  }
}

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
