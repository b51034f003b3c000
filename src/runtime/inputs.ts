/**
 * Input checks, the same for every backend (spec/30-execution.md §4): signature first, then values.
 * @module
 */
import { type Dim, dimAt, isSymbol } from '../core/dim.ts';
import { InputError, printable } from '../core/errors.ts';
import { allocate, DTYPE_RANGE, elementCount, type Tensor, type TypedArray } from '../core/tensor.ts';
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
  if (t.dtype !== expected) wrong('WrongDType', d, 'wrong dtype', expected, String(t.dtype));
  if (!isDtype(d, t.data))
    wrong(
      'WrongDType',
      d,
      'the data are no typed array of the dtype',
      expected,
      Object.prototype.toString.call(t.data),
    );
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

/**
 * Values of the symbols, each from the first input that has it as a whole dim. Reads nothing but those shapes: gas is
 * checked before the rest of the signature.
 */
export function readDims(model: Model, inputs: Inputs): number[] {
  return model.symbols.map((s, i) => {
    const d = model.inputs.find((e) => e.shape.some((dim) => isSymbol(dim, i)))!; // validation has found one
    const axis = d.shape.findIndex((dim) => isSymbol(dim, i));
    const value: unknown = isRecord(inputs) && Object.hasOwn(inputs, d.name) ? inputs[d.name] : undefined;
    if (value === undefined) throw new InputError('MissingInput', `input ${printable(d.name)} is missing`);
    const shape: unknown = isRecord(value) ? (value as Partial<Tensor>).shape : undefined;
    if (!Array.isArray(shape) || shape.length !== d.shape.length) {
      return wrong(
        'WrongShape',
        d,
        'a model with symbolic dims takes tensors with a shape',
        `rank ${d.shape.length}`,
        Array.isArray(shape) ? `[${shape}]` : 'no shape',
      );
    }
    const v: unknown = shape[axis];
    if (typeof v !== 'number' || !Number.isInteger(v) || v < s.min || v > s.max) {
      return wrong('WrongShape', d, `symbol ${printable(s.name)} is out of range`, `${s.min}…${s.max}`, String(v));
    }
    return v;
  });
}

function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === 'object' && v !== null;
}

/** An array that an input is copied to; of a u8 view also its bytes and, rounded up, its words. */
interface Room {
  readonly data: TypedArray;
  readonly bytes?: Uint8Array;
  readonly words?: Uint32Array;
}

/** Where inputs are copied to, by declaration; a session keeps it between synchronous runs. */
export type Scratch = Map<InputDecl, Room>;

/**
 * Checks shapes and values, and gives copies in the dtype of each input (a u8 view shifted by 128): what was checked is
 * what runs, whatever becomes of the caller's arrays.
 */
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

function target(d: InputDecl, length: number, scratch: Scratch): Room {
  const kept = scratch.get(d);
  if (kept?.data.length === length) return kept;
  const buffer = new ArrayBuffer(d.u8 ? (length + 3) & ~3 : 0);
  const fresh: Room = d.u8
    ? { data: new Int8Array(buffer, 0, length), bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) }
    : { data: allocate(d.dtype, length) };
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
  const { data: out, bytes, words } = target(d, data.length, scratch);
  (bytes ?? out).set(data);
  for (let i = 0, n = words?.length ?? 0; i < n; i++) words![i]! ^= 0x80808080; // q = u − 128 in every byte
  const [least, greatest] = DTYPE_RANGE[d.dtype];
  if (lo > least || hi < greatest) {
    for (let i = 0; i < out.length; i++) {
      const v = out[i]!;
      if (v < lo || v > hi)
        wrong(
          'OutOfRange',
          d,
          `value ${i} is outside the declared interval`,
          `${lo + shift}…${hi + shift}`,
          String(data[i]),
        );
    }
  }
  return out;
}

/** Checks a restored state value against its input's declaration, and copies it. */
export function checkState(d: InputDecl, data: unknown): TypedArray {
  return checkValues([given(d, data)], [])[0]!;
}
