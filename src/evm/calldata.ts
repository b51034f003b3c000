/**
 * Call data of the precompile behind the header hash (spec/40-consensus.md §7): the value of each symbol as one word, then the
 * canonical bytes of each input.
 * @module
 */
import type { Header } from '../consensus/header.ts';
import { WORD } from '../consensus/merkle.ts';
import { encodeWords } from '../consensus/words.ts';
import { dimAt } from '../core/dim.ts';
import { byteLength, elementCount, fromBytes, type Tensor, toBytes } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import { type Inputs, readDims } from '../runtime/inputs.ts';

/** Byte strings one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** The call data of a run. */
export function encodeCall(model: Model, inputs: Readonly<Record<string, Tensor>>): Uint8Array {
  const dims = model.symbols.length > 0 ? readDims(model, inputs as Inputs) : [];
  return joinBytes([encodeWords(dims), ...model.inputs.map((d) => toBytes(inputs[d.name]!.data))]);
}

/** The inputs of a run from its call data; undefined where they are none of this model. */
export function decodeCall(
  header: Pick<Header, 'symbols'>,
  model: Model,
  data: Uint8Array,
): { readonly dims: readonly number[]; readonly inputs: Record<string, Tensor> } | undefined {
  const dims = readCallDims(header, data);
  const inputs = dims && readCallInputs(model, dims, data.subarray(WORD * dims.length));
  return inputs && { dims, inputs };
}

/** Values of the symbols; undefined where one is missing or out of its range. */
export function readCallDims(header: Pick<Header, 'symbols'>, data: Uint8Array): number[] | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const dims: number[] = [];
  for (const [i, { min, max }] of header.symbols.entries()) {
    const at = WORD * i;
    if (at + WORD > data.length) return undefined;
    const high = data.subarray(at, at + WORD - 4).some((b) => b !== 0);
    const value = view.getUint32(at + WORD - 4);
    if (high || value < min || value > max) return undefined;
    dims.push(value);
  }
  return dims;
}

/** Inputs by name; undefined where the data do not have their length. */
export function readCallInputs(
  model: Model,
  dims: readonly number[],
  data: Uint8Array,
): Record<string, Tensor> | undefined {
  const inputs: [string, Tensor][] = [];
  let at = 0;
  for (const d of model.inputs) {
    const shape = d.shape.map((e) => dimAt(e, dims));
    const bytes = byteLength(d.dtype, elementCount(shape));
    if (at + bytes > data.length) return undefined;
    const own = data.slice(at, at + bytes);
    at += bytes;
    inputs.push([
      d.name,
      d.u8 ? { dtype: 'u8', shape, data: own } : { dtype: d.dtype, shape, data: fromBytes(d.dtype, own) },
    ]);
  }
  return at === data.length ? Object.fromEntries(inputs) : undefined;
}
