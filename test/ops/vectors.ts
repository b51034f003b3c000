/**
 * The op vectors as nodes and as whole models on a backend.
 * @module
 */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import type { OpName } from '../../src/ops/index.ts';
import { readGolden, type Vector, vectorFiles } from '../golden.ts';
import { ADAPTERS, isForeign } from './elements.ts';
import type { Known } from './elements-cells.ts';
import { runOn } from './graph.ts';
import { type NodeCase, positional, type Tensor } from './node.ts';

/** A vector of whole tensors. */
export type TypedVector = Vector & {
  readonly inputs: Readonly<Record<string, Tensor | readonly Tensor[]>>;
  readonly expected: readonly Tensor[];
};
/** Names of all vector files. */
export const files: readonly string[] = vectorFiles('ops');
/** Files of whole tensors. */
export const typed: readonly string[] = files.filter((f) => f.startsWith('tensor_'));
/** Files of single elements. */
export const elements: readonly string[] = files.filter((f) => ADAPTERS[f] !== undefined);

/** The vectors of an element file that an op of the registry knows. */
export function known(file: string): Known[] {
  return readGolden('ops', file)
    .filter((v) => !isForeign(file, v))
    .map((v) => ADAPTERS[file]!(v as never));
}

/** A typed vector as a node. */
export function typedCase(v: TypedVector): NodeCase {
  return { op: v.op as OpName, attrs: v.attrs, operands: positional(v.op as OpName, v.inputs) };
}

/** A row-sum fact cannot be declared: it exists inside a graph only. */
export function isDeclarable(v: TypedVector): boolean {
  return Object.values(v.inputs)
    .flat()
    .every((t) => (t as Tensor).rowSum === undefined);
}

/** The chosen values, or all. */
export function pick(values: ArrayLike<number>, only: readonly number[] | undefined): number[] {
  return only === undefined ? Array.from(values) : only.map((i) => values[i]!);
}

/** Compares the outputs that a vector states. */
export function compare(c: Known, outputs: readonly ArrayLike<number>[]): void {
  for (const [i, e] of c.outputs.entries()) {
    if (e !== undefined) expect(pick(outputs[i]!, c.only?.out), JSON.stringify(c.attrs)).toEqual(e);
  }
}

/** Every vector as a model on a backend. */
export function wholeModels(backend: Backend): void {
  describe(`whole models on ${backend.name}`, () => {
    for (const file of typed) {
      it(file, async () => {
        for (const v of readGolden<TypedVector[]>('ops', file).filter(isDeclarable)) {
          const outputs = await runOn(backend, typedCase(v));
          const label = `${v.op} ${JSON.stringify(v.attrs)}`;
          expect(
            outputs.map((o) => [...o]),
            label,
          ).toEqual(v.expected.map((e) => e.data));
        }
      });
    }
    for (const file of elements) {
      it(file, async () => {
        for (const c of known(file)) {
          compare(c, await runOn(backend, c));
        }
      });
    }
  });
}
