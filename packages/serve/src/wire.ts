/**
 * Inputs and outputs as requests and responses hold them.
 * @module
 */
import { bind, createPlan, InputError, type Inputs, type InputValue, type Model, type RunResult } from 'samebit';
import { fromBytes as elementsOf, toBytes } from 'samebit/format';
import type { AnswerForm, GivenInput, SignedReceipt } from './messages.ts';

type Declared = Model['inputs'][number];

/** Bytes of one element. */
const SIZES: Readonly<Record<string, number>> = { i16: 2, i32: 4 };

/** Canonical bytes as the elements of an input; a length that is no whole number of them is no such input. */
function fromBytes(d: Declared, bytes: Uint8Array): InputValue & ArrayLike<number> {
  if (d.u8) return bytes;
  if (bytes.length % (SIZES[d.dtype] ?? 1) !== 0)
    throw new InputError('WrongShape', `input ${d.name}: the bytes end inside an element`);
  return elementsOf(d.dtype, bytes);
}

/** Integers as the elements of an input. @throws InputError OutOfRange where the dtype does not hold one */
function fromIntegers(d: Declared, data: Int32Array): InputValue & ArrayLike<number> {
  if (d.dtype === 'i32') return data;
  const out = d.u8 ? new Uint8Array(data) : d.dtype === 'i16' ? new Int16Array(data) : new Int8Array(data);
  const wrong = data.findIndex((v, i) => v !== out[i]);
  if (wrong >= 0)
    throw new InputError('OutOfRange', `input ${d.name}: value ${wrong} is no ${d.u8 ? 'u8' : d.dtype}`, {
      expected: d.u8
        ? '0…255'
        : `${-(2 ** (out.BYTES_PER_ELEMENT * 8 - 1))}…${2 ** (out.BYTES_PER_ELEMENT * 8 - 1) - 1}`,
      actual: String(data[wrong]),
    });
  return out;
}

/** Inputs that are no states, in the order of the signature. */
function wanted(model: Model): Declared[] {
  const states = new Set(model.states.map((s) => s.input));
  return model.inputs.filter((_, i) => !states.has(i));
}

/** Inputs given by name. Names that the model does not have stay for the session to refuse. */
function named(model: Model, given: Readonly<Record<string, GivenInput>>): Inputs {
  const declared = new Map(model.inputs.map((d) => [d.name, d]));
  const values = Object.entries(given).map(([name, { shape, data }]): [string, InputValue] => {
    const d = declared.get(name);
    if (d === undefined) return [name, data];
    const elements = data instanceof Int32Array ? fromIntegers(d, data) : fromBytes(d, data);
    return [
      name,
      shape === undefined ? elements : ({ dtype: d.u8 ? 'u8' : d.dtype, shape, data: elements } as InputValue),
    ];
  });
  return Object.fromEntries(values);
}

/** Where an input lies in a body of bytes. */
interface Part {
  readonly declared: Declared;
  readonly bytes: number;
  readonly shape: readonly number[];
}

/** Layouts that are kept for a model with symbols. */
const KEPT = 16;
const layouts = new WeakMap<Model, Map<string, readonly Part[]>>();

/** The inputs that are no states, one after the other. @throws InputError where a symbol has no legal value */
function layoutOf(model: Model, dims: readonly number[]): readonly Part[] {
  let own = layouts.get(model);
  if (own === undefined) layouts.set(model, (own = new Map()));
  let layout = own.get(dims.join());
  if (layout === undefined) {
    const { tensors } = createPlan(bind(model, Object.fromEntries(model.symbols.map((s, i) => [s.name, dims[i]!]))));
    layout = wanted(model).map((declared) => ({ declared, ...tensors[model.inputs.indexOf(declared)]! }));
    own.set(dims.join(), layout);
    if (own.size > KEPT) own.delete(own.keys().next().value!);
  }
  return layout;
}

/** Inputs given one after the other as canonical bytes. */
function joined(model: Model, bytes: Uint8Array, dims: readonly number[]): Inputs {
  if (dims.length !== model.symbols.length)
    throw new InputError('WrongShape', 'the query names other symbols than the model', {
      expected: `dims of ${model.symbols.map((s) => s.name).join(', ') || 'none'}`,
      actual: `${dims.length}`,
    });
  const layout = layoutOf(model, dims);
  const size = layout.reduce((n, p) => n + p.bytes, 0);
  if (size !== bytes.length)
    throw new InputError('WrongShape', 'the body is not the inputs one after the other', {
      expected: `${size} bytes`,
      actual: `${bytes.length}`,
    });
  let at = 0;
  const values = layout.map(({ declared: d, bytes: length, shape }): [string, InputValue] => {
    const data = fromBytes(d, bytes.subarray(at, (at += length)));
    return [d.name, { dtype: d.u8 ? 'u8' : d.dtype, shape, data } as InputValue];
  });
  return Object.fromEntries(values);
}

/**
 * The inputs of a request.
 * @param given by name, or canonical bytes of all that are no states in the order of the signature
 * @throws InputError
 */
export function readInputs(
  model: Model,
  given: Readonly<Record<string, GivenInput>> | Uint8Array,
  dims: readonly number[],
): Inputs {
  return given instanceof Uint8Array ? joined(model, given, dims) : named(model, given);
}

/** The body of a response: the outputs of `names` in the order of the signature. A receipt goes into JSON only. */
export function writeOutputs(
  result: RunResult,
  names: readonly string[],
  form: AnswerForm,
  id: string,
  receipt: SignedReceipt | undefined,
): Uint8Array {
  const { outputs, digest, gasUsed } = result;
  if (form === 'bytes') return Buffer.concat(names.map((n) => toBytes(outputs[n]!.data)));
  const list = names.map((name) => {
    const { dtype, shape, data } = outputs[name]!;
    const value = form === 'array' ? Array.from(data) : Buffer.from(toBytes(data)).toString('base64');
    return [name, { dtype, shape, data: value }];
  });
  const gas = Number(gasUsed); // below 2^53 by the format
  return Buffer.from(JSON.stringify({ model: id, digest, gas, outputs: Object.fromEntries(list), receipt }));
}
