/**
 * Attributes between their schema and the wire (spec/20-format.md §2): one place for encoding, decoding and ranges.
 * @module
 */
import { affine, type Dim } from '../core/dim.ts';
import { assert, ModelError, printable } from '../core/errors.ts';
import { DTYPE_RANGE, DTYPES, type DType, fromBytes, toBytes } from '../core/tensor.ts';
import type { AttrField, Output, OutputField, Stage, StageField } from '../ops/define.ts';
import type { AnyOp } from '../ops/index.ts';
import { LIMITS } from './limits.ts';
import type { AttrMessage, DimMessage } from './messages.ts';

/** Attributes by name. */
export type Attrs = Readonly<Record<string, unknown>>;

/** A dim as its message. */
export function dimToMessage(d: Dim): DimMessage {
  return typeof d === 'number' ? { c: d } : { c: d.c, k: [...d.k] };
}

/** A dim from its message; the normal form of k is checked by re-encoding. */
export function dimFromMessage(m: DimMessage, symbols: number, where: string): Dim {
  const k = m.k ?? [];
  if (k.length > symbols)
    throw new ModelError('BadSymbol', `${where}: a dim names an undeclared symbol`, {
      expected: `at most ${symbols}`,
      actual: String(k.length),
    });
  if (k.some((v) => Math.abs(v) > LIMITS.coefficient))
    throw new ModelError('Limit', `${where}: a coefficient of a dim is too large`, {
      expected: `±${LIMITS.coefficient}`,
      actual: k.join(),
    });
  return affine(m.c ?? 0, k);
}

const FIELDS: WeakMap<AnyOp, readonly [string, AttrField][]> = /* @__PURE__ */ new WeakMap();

/** Fields of an op in tag order. */
function fieldsOf(def: AnyOp): readonly [string, AttrField][] {
  let fields = FIELDS.get(def);
  if (fields === undefined) FIELDS.set(def, (fields = Object.entries(def.attrs).sort((p, q) => p[1].tag - q[1].tag)));
  return fields;
}

/** Messages of a node's attributes in tag order; those equal to their default are left out. */
export function attrsToMessages(def: AnyOp, attrs: Attrs): AttrMessage[] {
  return fieldsOf(def).flatMap(([name, field]) => {
    const value = attrs[name];
    if (isDefault(field, value)) return [];
    if (value === undefined) throw new TypeError(`attribute ${name} is missing`);
    return [{ tag: field.tag, ...payload(field, value) }];
  });
}

function isDefault(field: AttrField, value: unknown): boolean {
  switch (field.kind) {
    case 'bool':
      return value === false || value === undefined;
    case 'stage':
      return value === undefined && field.optional;
    case 'int':
    case 'dim':
    case 'enum':
      return field.default !== undefined && (value === undefined || value === field.default);
    case 'ints': {
      const d = field.default;
      const list = value as readonly number[] | undefined;
      return d !== undefined && (list === undefined || (list.length === d.length && d.every((v, i) => v === list[i])));
    }
    default:
      return false;
  }
}

function payload(field: AttrField, value: unknown): AttrMessage {
  switch (field.kind) {
    case 'int':
      return { ints: [value as number] };
    case 'bool':
      return { ints: [1] };
    case 'enum':
      return { ints: [field.values.indexOf(value as string)] };
    case 'ints':
      return { ints: [...(value as readonly number[])] };
    case 'words':
      return { blob: toBytes(value as Int32Array) };
    case 'u64':
      return { blob: u64Bytes(value as bigint) };
    case 'dim':
      return { dims: [dimToMessage(value as Dim)] };
    case 'dims':
      return { dims: (value as readonly Dim[]).map(dimToMessage) };
    case 'output':
      return { ints: outputInts(value as Output) };
    case 'stage':
      return { ints: [(value as Stage).l, ...outputInts(value as Stage)], blob: toBytes((value as Stage).m) };
  }
}

function outputInts(o: Output): number[] {
  return [DTYPES.indexOf(o.dtype), o.zp, o.lo, o.hi];
}

/** Eight little-endian bytes of 0 ≤ v < 2^64. */
export function u64Bytes(v: bigint): Uint8Array {
  return Uint8Array.from({ length: 8 }, (_, i) => Number((v >> BigInt(8 * i)) & 255n));
}

/** The value of eight little-endian bytes. */
export function u64FromBytes(b: Uint8Array): bigint {
  return b.reduceRight((v, byte) => (v << 8n) | BigInt(byte), 0n);
}

/** Where an attribute stands, for errors. */
export interface AttrPlace {
  readonly node: number;
  readonly op: string;
  readonly symbols: number;
}

/** Attributes from their messages: all fields of the schema, defaults filled in, ranges checked. */
export function attrsFromMessages(def: AnyOp, messages: readonly AttrMessage[], place: AttrPlace): Attrs {
  const out: Record<string, unknown> = {};
  const byTag = new Map(messages.map((m) => [m.tag ?? 0, m]));
  if (byTag.size !== messages.length) bad(place, 'an attribute occurs twice');
  for (const [name, field] of fieldsOf(def)) {
    const m = byTag.get(field.tag);
    byTag.delete(field.tag);
    const value = m === undefined ? defaultOf(field, name, place) : read(field, m, name, place);
    if (value !== undefined) out[name] = value;
  }
  for (const tag of byTag.keys()) bad(place, `unknown attribute tag ${tag}`);
  return out;
}

function bad(place: AttrPlace, message: string, expected?: string, actual?: string): never {
  throw new ModelError('BadAttribute', message, { ...place, expected, actual });
}

function defaultOf(field: AttrField, name: string, place: AttrPlace): unknown {
  if (field.kind === 'bool') return false;
  if (field.kind === 'stage' && field.optional) return undefined;
  if ('default' in field && field.default !== undefined) return field.default;
  return bad(place, `attribute ${name} is missing`);
}

const PARTS: Readonly<Record<AttrField['kind'], string>> = {
  int: 'ints',
  bool: 'ints',
  enum: 'ints',
  ints: 'ints',
  words: 'blob',
  u64: 'blob',
  dim: 'dims',
  dims: 'dims',
  output: 'ints',
  stage: 'ints blob',
};

function read(field: AttrField, m: AttrMessage, name: string, place: AttrPlace): unknown {
  const [ints, blob, dims] = [m.ints ?? [], m.blob ?? new Uint8Array(), m.dims ?? []];
  const parts = PARTS[field.kind];
  if (
    (ints.length > 0 && !parts.includes('ints')) ||
    (blob.length > 0 && !parts.includes('blob')) ||
    (dims.length > 0 && !parts.includes('dims'))
  ) {
    bad(place, `attribute ${name} holds the wrong kind of value`, field.kind);
  }
  const inside = (v: number, min: number, max: number): number =>
    v >= min && v <= max ? v : bad(place, `attribute ${name} is out of range`, `${min}…${max}`, String(v));
  const one = (): number =>
    ints.length === 1 ? ints[0]! : bad(place, `attribute ${name} is one integer`, '1', String(ints.length));
  const words = (max: number): Int32Array => {
    if (blob.length % 4 !== 0 || blob.length === 0 || blob.length > 4 * max)
      bad(place, `attribute ${name} is a vector of int32`, `1…${max} words`, `${blob.length} bytes`);
    return fromBytes('i32', blob) as Int32Array;
  };
  switch (field.kind) {
    case 'int':
      return inside(one(), field.min, field.max);
    case 'bool':
      return inside(one(), 1, 1) === 1;
    case 'enum':
      return field.values[inside(one(), 0, field.values.length - 1)];
    case 'ints': {
      if (field.length !== undefined ? ints.length !== field.length : ints.length > field.maxLength!)
        bad(
          place,
          `attribute ${name} has the wrong length`,
          String(field.length ?? `at most ${field.maxLength}`),
          String(ints.length),
        );
      return ints.map((v) => inside(v, field.min, field.max));
    }
    case 'words':
      return words(field.maxLength).map((v) => inside(v, field.min, field.max));
    case 'u64': {
      const v =
        blob.length === 8
          ? u64FromBytes(blob)
          : bad(place, `attribute ${name} has eight bytes`, '8', String(blob.length));
      return v >= field.min && v <= field.max
        ? v
        : bad(place, `attribute ${name} is out of range`, `${field.min}…${field.max}`, String(v));
    }
    case 'dim':
      if (dims.length !== 1) bad(place, `attribute ${name} is one dim`, '1', String(dims.length));
      return readDim(dims[0]!, field, name, place);
    case 'dims':
      return dims.map((d) => readDim(d, field, name, place));
    case 'output':
      return readOutput(field, ints, 0, name, place);
    case 'stage': {
      const output = readOutput(field, ints, 1, name, place);
      return { l: inside(ints[0]!, 0, 24), m: words(field.perChannel ? 16777216 : 1), ...output };
    }
  }
}

function readDim(
  m: DimMessage,
  field: { readonly min: number; readonly max: number },
  name: string,
  place: AttrPlace,
): Dim {
  const d = dimFromMessage(m, place.symbols, `attribute ${name}`);
  if (typeof d === 'number' && (d < field.min || d > field.max))
    bad(place, `attribute ${name} is out of range`, `${field.min}…${field.max}`, String(d));
  return d;
}

function readOutput(
  field: OutputField | StageField,
  ints: readonly number[],
  at: number,
  name: string,
  place: AttrPlace,
): Output {
  if (ints.length !== at + 4)
    bad(place, `attribute ${name} has ${at + 4} integers`, String(at + 4), String(ints.length));
  const dtype = DTYPES[ints[at]!] as DType | undefined;
  if (dtype === undefined || !field.dtypes.includes(dtype))
    bad(
      place,
      `attribute ${name} has an output dtype the op does not produce`,
      field.dtypes.join(),
      printable(String(dtype)),
    );
  assert(dtype in DTYPE_RANGE, 'a dtype without a range');
  return { dtype, zp: ints[at + 1]!, lo: ints[at + 2]!, hi: ints[at + 3]! };
}
