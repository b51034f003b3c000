/**
 * Input checks, the same for every backend (spec/30-execution.md §4): signature first, then values.
 * @module
 */
import { type Dim, dimAt, isSymbol } from '../core/dim.ts';
import { InputError, printable } from '../core/errors.ts';
import { elementCount, type Tensor, type TypedArray } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';

/** What a caller passes for one input: a tensor, or its elements where the shape is static. */
export type InputValue = Tensor | TypedArray | Uint8Array | Uint8ClampedArray;
/** Inputs by name. */
export type Inputs = Readonly<Record<string, InputValue>>;

interface Given {
  readonly decl: InputDecl;
  readonly data: TypedArray | Uint8Array | Uint8ClampedArray;
  readonly shape: readonly number[] | undefined;
}

function wrong(
  code: 'WrongDType' | 'WrongShape' | 'OutOfRange',
  d: InputDecl,
  message: string,
  expected: string,
  actual: string,
): never {
  throw new InputError(code, `input ${printable(d.name)}: ${message}`, { expected, actual });
}

function isDtype(d: InputDecl, data: unknown): boolean {
  if (d.u8) return data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (d.dtype === 'i16') return data instanceof Int16Array;
  if (d.dtype === 'i32') return data instanceof Int32Array;
  return data instanceof Int8Array || (d.dtype === 'bool' && data instanceof Uint8Array);
}

function given(d: InputDecl, value: unknown): Given {
  const expected = d.u8 ? 'u8' : d.dtype;
  if (ArrayBuffer.isView(value)) {
    if (!isDtype(d, value)) wrong('WrongDType', d, 'wrong typed array', expected, value.constructor.name);
    return { decl: d, data: value as TypedArray, shape: undefined };
  }
  const t = value as Partial<Tensor> | null;
  if (typeof t !== 'object' || t === null || !Array.isArray(t.shape))
    return wrong('WrongDType', d, 'neither a typed array nor a tensor', expected, typeof value);
  if (t.dtype !== expected || !isDtype(d, t.data)) wrong('WrongDType', d, 'wrong dtype', expected, String(t.dtype));
  if (t.shape.some((e) => !Number.isInteger(e) || e < 0) || elementCount(t.shape) !== t.data!.length) {
    wrong('WrongShape', d, 'the data do not fill the shape', `${t.data!.length} elements`, `[${t.shape}]`);
  }
  return { decl: d, data: t.data!, shape: t.shape };
}

/** The caller's values in signature order; states are not among them. */
export function readSignature(model: Model, inputs: Inputs): Given[] {
  if (typeof inputs !== 'object' || inputs === null)
    throw new TypeError('inputs is an object of typed arrays or tensors by name');
  const states = new Set(model.states.map((s) => s.input));
  const wanted = model.inputs.filter((_, i) => !states.has(i));
  const names = new Set(wanted.map((d) => d.name));
  for (const name of Object.keys(inputs)) {
    if (!names.has(name))
      throw new InputError('UnknownInput', `the model has no input ${printable(name)}`, {
        expected: [...names].join(', '),
        actual: name,
      });
  }
  return wanted.map((d) => {
    if (!Object.hasOwn(inputs, d.name)) throw new InputError('MissingInput', `input ${printable(d.name)} is missing`);
    return given(d, inputs[d.name]);
  });
}

/** Values of the symbols, each from the first input that has it as a whole dim. */
export function readDims(model: Model, values: readonly Given[]): number[] {
  return model.symbols.map((s, i) => {
    for (const { decl, shape } of values) {
      const axis = decl.shape.findIndex((d) => isSymbol(d, i));
      if (axis < 0) continue;
      if (shape === undefined || shape.length !== decl.shape.length)
        return wrong(
          'WrongShape',
          decl,
          'a model with symbolic dims takes tensors with a shape',
          `rank ${decl.shape.length}`,
          shape === undefined ? 'no shape' : `[${shape}]`,
        );
      const v = shape[axis]!;
      if (v < s.min || v > s.max)
        wrong('WrongShape', decl, `symbol ${printable(s.name)} is out of range`, `${s.min}…${s.max}`, String(v));
      return v;
    }
    return s.min; // a symbol of state inputs only cannot occur: states are static
  });
}

/** Checks shapes and values, and gives raw arrays in the dtype of each input (a u8 view shifted by 128). */
export function checkValues(
  values: readonly Given[],
  dims: readonly number[],
  scratch: Scratch = new Map(),
): TypedArray[] {
  for (const { decl, data, shape } of values) {
    const want = decl.shape.map((d) => dimAt(d, dims));
    const fits =
      shape === undefined
        ? data.length === elementCount(want)
        : shape.length === want.length && want.every((d, i) => d === shape[i]);
    if (!fits)
      wrong(
        'WrongShape',
        decl,
        'wrong shape',
        `[${want}]`,
        shape === undefined ? `${data.length} elements` : `[${shape}]`,
      );
  }
  return values.map(({ decl, data }) => raw(decl, data, dims, scratch));
}

/** Arrays that shifted u8 inputs are kept in between runs, by declaration. */
export type Scratch = Map<InputDecl, Int8Array>;

function shifted(d: InputDecl, length: number, scratch: Scratch): Int8Array {
  const kept = scratch.get(d);
  if (kept?.length === length) return kept;
  const fresh = new Int8Array(length);
  scratch.set(d, fresh);
  return fresh;
}

function raw(
  d: InputDecl,
  data: TypedArray | Uint8Array | Uint8ClampedArray,
  dims: readonly number[],
  scratch: Scratch,
): TypedArray {
  const at = (e: Dim): number => dimAt(e, dims);
  const [lo, hi, shift] = [at(d.lo), at(d.hi), d.u8 ? 128 : 0];
  const out =
    shift === 128
      ? shifted(d, data.length, scratch)
      : data instanceof Uint8Array
        ? new Int8Array(data)
        : (data as TypedArray);
  for (let i = 0; i < data.length; i++) {
    const v = data[i]! - shift;
    if (v < lo || v > hi)
      wrong(
        'OutOfRange',
        d,
        `value ${i} is outside the declared interval`,
        `${lo + shift}…${hi + shift}`,
        String(data[i]),
      );
    if (shift === 128) out[i] = v;
  }
  return out;
}

/** Checks a restored state value against its input's declaration. */
export function checkState(d: InputDecl, data: unknown): TypedArray {
  const g = given(d, data);
  return checkValues([g], [])[0]!;
}
