/**
 * Calls as people write them: inputs by name as lists of integers, into the call data of a model and back, by its card.
 * @module
 */
import { encodeWords } from '../consensus/words.ts';
import { dimAt } from '../core/dim.ts';
import { byteLength, elementCount, fromBytes, type Tensor, toBytes } from '../core/tensor.ts';
import type { Card, Port } from './card.ts';
import { MarketError } from './errors.ts';

/** A call: values of symbols and elements of inputs, in the order of the model, or by name. */
export interface CallInputs {
  /** Value of each symbol. */
  readonly dims?: readonly number[] | undefined;
  /** Elements of each input, row by row. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

function refuse(message: string): never {
  throw new MarketError('BadRequest', message);
}

function isDims(card: Card, dims: unknown): dims is readonly number[] {
  const { symbols } = card.header;
  return (
    Array.isArray(dims) &&
    dims.length === symbols.length &&
    symbols.every((s, i) => Number.isSafeInteger(dims[i]) && dims[i] >= s.min && dims[i] <= s.max)
  );
}

/** Canonical bytes of an input. */
function bytesOf(port: Port, dims: readonly number[], values: unknown): Uint8Array {
  const shape = port.shape.map((d) => dimAt(d, dims));
  const [count, lo, hi] = [elementCount(shape), dimAt(port.lo, dims), dimAt(port.hi, dims)];
  const kind = `${port.dtype} [${shape.join(', ')}], integers ${lo}…${hi}`;
  if (!Array.isArray(values) || values.length !== count)
    return refuse(`input ${port.name} is a list of ${count} numbers: ${kind}`);
  const at = values.findIndex((v) => !Number.isInteger(v) || v < lo || v > hi);
  if (at >= 0) return refuse(`input ${port.name}, element ${at}, is ${String(values[at])}; it is ${kind}`);
  if (port.dtype === 'u8') return Uint8Array.from(values);
  if (port.dtype === 'i16') return toBytes(Int16Array.from(values));
  if (port.dtype === 'i32') return toBytes(Int32Array.from(values));
  return port.dtype === 'i4' ? refuse(`input ${port.name} is i4: send data`) : toBytes(Int8Array.from(values));
}

/**
 * The call data of a model behind its header hash (spec/40-consensus.md §7).
 * @throws MarketError BadRequest
 */
export function encodeInputs(card: Card, { dims = [], inputs }: CallInputs): Uint8Array {
  if (!isDims(card, dims)) {
    const ranges = card.header.symbols.map((s) => `${s.min}…${s.max}`);
    return refuse(`dims is a list of ${ranges.length} numbers: ${ranges.join(', ')}`);
  }
  if (card.inputs.some((p) => p.state)) return refuse('the model has states: a call leaves nothing behind');
  if (typeof inputs !== 'object' || inputs === null) return refuse('inputs is an object: lists of numbers by name');
  const strange = Object.keys(inputs).find((name) => !card.inputs.some((p) => p.name === name));
  if (strange !== undefined)
    return refuse(`there is no input ${strange}; the inputs are ${card.inputs.map((p) => p.name).join(', ')}`);
  const parts = [encodeWords(dims), ...card.inputs.map((p) => bytesOf(p, dims, inputs[p.name]))];
  const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** An output by name. */
export interface NamedOutput {
  readonly name: string;
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/**
 * Outputs from their canonical bytes; undefined where the bytes are not those of the card, or the values of symbols are unknown.
 * @param dims value of each symbol
 */
export function decodeOutputs(card: Card, dims: readonly number[], bytes: Uint8Array): NamedOutput[] | undefined {
  if (!isDims(card, dims)) return undefined;
  let at = 0;
  const outputs = card.outputs.map(({ name, dtype, shape }): NamedOutput => {
    const own = shape.map((d) => dimAt(d, dims));
    const kind = dtype === 'u8' ? 'i8' : dtype;
    const part = bytes.slice(at, at + byteLength(kind, elementCount(own)));
    at += byteLength(kind, elementCount(own));
    return { name, dtype, shape: own, data: [...(dtype === 'u8' ? part : fromBytes(kind, part))] };
  });
  return at === bytes.length ? outputs : undefined;
}
