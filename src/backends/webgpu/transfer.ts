/**
 * What goes to a device and comes back: places of inputs and results, and submissions of bounded work.
 * @module
 */
import { fromBytes, type TypedArray } from '../../core/tensor.ts';
import type { Plan } from '../../runtime/plan.ts';
import type { Builder, Dispatch } from './builder.ts';

/** Elementary steps between two submissions: where a signal is heard and a device may breathe. */
const SUBMIT_WORK = 2 ** 30;
/** Elementary steps that the slowest device does in a millisecond. */
export const SLOWEST: number = 65536;

/** A part of a readback: a tensor’s bytes in the arena and in the results. */
export interface Part {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** Dispatches cut into submissions. */
export function batched<D extends Dispatch>(dispatches: readonly D[]): D[][] {
  const out: D[][] = [];
  let work = 0;
  for (const d of dispatches) {
    if (out.length === 0 || work + d.work > SUBMIT_WORK) {
      out.push([]);
      work = 0;
    }
    out[out.length - 1]!.push(d);
    work += d.work;
  }
  return out;
}

/** What a run reads back: in `trace` mode every activation, then the outputs. */
export function partsOf(
  plan: Plan,
  b: Builder,
  keep: boolean,
): { readonly parts: readonly Part[]; readonly bytes: number } {
  const kept = keep ? plan.tensors.flatMap((t, id) => (t.data === undefined ? [id] : [])) : [];
  let to = 0;
  const parts = [...kept, ...plan.outputs].map((id) => {
    const part = { id, from: b.at({ id }) * 4, to };
    to += (plan.tensors[id]!.bytes + 15) & ~15;
    return part;
  });
  return { parts, bytes: Math.max(to, 16) };
}

/** Inputs lie at the beginning of the arena, since they are alive before the first node: one write uploads them. */
export function inputArea(
  plan: Plan,
  b: Builder,
): { readonly inputs: Uint8Array<ArrayBuffer>; readonly inputsAt: readonly number[] } {
  const inputsAt = plan.inputs.map((id) => b.at({ id }) * 4);
  const end = Math.max(0, ...plan.inputs.map((id, i) => inputsAt[i]! + plan.tensors[id]!.bytes));
  return { inputs: new Uint8Array((end + 15) & ~15), inputsAt };
}

/** Owned copies of the outputs; where `keep`, of every other activation too, with the constants. */
export function resultsOf(
  { tensors, outputs }: Plan,
  parts: readonly Part[],
  bytes: Uint8Array<ArrayBuffer>,
  keep: boolean,
): { readonly outputs: TypedArray[]; readonly trace: ReadonlyMap<number, TypedArray> | undefined } {
  const copies = parts.map(({ id, to }): readonly [number, TypedArray] => {
    const t = tensors[id]!;
    return [id, fromBytes(t.dtype, bytes.slice(to, to + t.bytes))];
  });
  const last = copies.slice(copies.length - outputs.length).map(([, data]) => data);
  if (!keep) return { outputs: last, trace: undefined };
  const constants = tensors.flatMap((t, id) => (t.data === undefined ? [] : [[id, t.data] as const]));
  return { outputs: last.map((data) => data.slice() as TypedArray), trace: new Map([...constants, ...copies]) };
}

/** Gives what `acquire` gave last; asks anew where that was an error, or once it has `failed`. */
export function renewed<T>(acquire: () => Promise<T>, failed: (known: T) => boolean): () => Promise<T> {
  let last: Promise<T> | undefined;
  return async () => {
    last ??= acquire();
    try {
      const known = await last;
      if (!failed(known)) return known;
    } catch (e) {
      last = undefined;
      throw e;
    }
    last = acquire();
    return last;
  };
}
