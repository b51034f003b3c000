/**
 * Kernels: WGSL modules over one record of named fields (spec/30-execution.md §3).
 * @module
 */
import { assert } from '../../core/errors.ts';
import { PRELUDE, RECORD_WORDS } from './prelude.ts';

/** Names of the fields in a declaration `x: u32, n: Divisor, …`. */
export type Names<S extends string, Found = never> = S extends `${infer N}: ${string}, ${infer Rest}`
  ? Names<Rest, Found | N>
  : S extends `${infer N}: ${string}`
    ? Found | N
    : Found;

/** A module with its entry point `main`. `fields`: name and WGSL type in order. */
export interface Kernel<F extends string = string> {
  readonly name: string;
  readonly fields: readonly (readonly [name: F, type: string])[];
  readonly code: string;
  /** Of a kernel over elements: its WGSL without bindings and stores, typed throughout, so that it can be written in GLSL too. */
  readonly body?: Body;
}

/**
 * The functions of a kernel over elements: `fn element(i: u32) -> i32` for every output, or, where `fours`,
 * `fn four(i: u32) -> vec4<u32>` for every four.
 */
export interface Body {
  readonly record: string;
  readonly code: string;
  readonly fours: boolean;
}

/** A module over a record declared as WGSL declares members, on one line. */
/* @__NO_SIDE_EFFECTS__ */
export function kernel<const S extends string>(name: string, record: S, code: string): Kernel<Names<S>> {
  const fields = record.split(', ').map((f) => f.split(': ') as [Names<S>, string]);
  const words = fields.reduce((n, [, type]) => n + (type === 'Divisor' ? 3 : 1), 0);
  assert(words <= RECORD_WORDS, `the record of ${name} is too long`);
  const packed = code.includes('dot4I8Packed') ? 'requires packed_4x8_integer_dot_product;\n' : '';
  return { name, fields, code: `${packed}struct Record { ${record} }\n${PRELUDE}${code}` };
}

/** Workgroups along x of a dispatch over items; more go along y. */
export const ROW_GROUPS = 32768;

/** Invocations of a workgroup of a kernel over items. */
export const ITEM_GROUP = 64;

/** Fields that every kernel over items has: those of this dispatch. */
const ITEM_FIELDS = 'first: u32, end: u32';
/** Fields that every kernel over elements has beside: the tensor y, and how many elements it holds. */
const ELEMENT_FIELDS = 'count: u32, y: u32, y_size: u32';

/** Fields of a kernel over items that the builder fills in. */
export type ItemField = Names<typeof ITEM_FIELDS>;
/** Fields of a kernel over elements that the builder fills in. */
export type ElementField = ItemField | Names<typeof ELEMENT_FIELDS>;

/** A kernel of one invocation an item: `fn item(i: u32)`. */
/* @__NO_SIDE_EFFECTS__ */
export function itemKernel<const S extends string>(
  name: string,
  record: S,
  code: string,
): Kernel<Names<S> | ItemField> {
  const main = `
@compute @workgroup_size(${ITEM_GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = p.first + id.y * ${ROW_GROUPS * ITEM_GROUP}u + id.x;
  if (i < p.end) { item(i); }
}`;
  return kernel<string>(name, `${record}, ${ITEM_FIELDS}`, code + main) as Kernel<Names<S> | ItemField>;
}

/**
 * A kernel given as one output element: `fn element(i: u32) -> i32` at flat index i. An item is a whole word, so no two
 * invocations write the same one.
 */
/* @__NO_SIDE_EFFECTS__ */
export function elementKernel<const S extends string>(
  name: string,
  record: S,
  code: string,
): Kernel<Names<S> | ElementField> {
  const word = `
fn item(word: u32) {
  let lanes: u32 = 4u >> p.y_size;
  let width: u32 = 8u << p.y_size;
  var bits: u32 = 0u;
  for (var lane: u32 = 0u; lane < lanes; lane++) {
    let i: u32 = word * lanes + lane;
    if (i < p.count) { bits |= (bitcast<u32>(element(i)) & (0xffffffffu >> (32u - width))) << (lane * width); }
  }
  arena[p.y + word] = bits;
}`;
  const own = `${record}, ${ELEMENT_FIELDS}`;
  const body = { record: `${own}, ${ITEM_FIELDS}`, code, fours: false };
  return { ...itemKernel<string>(name, own, code + word), body } as Kernel<Names<S> | ElementField>;
}

/** Fields that every kernel over fours has beside: the tensor y. */
const FOUR_FIELDS = 'y: u32, y_size: u32';

/** A kernel given as four neighbouring output elements: `fn four(i: u32) -> vec4<u32>`. They fill whole words. */
/* @__NO_SIDE_EFFECTS__ */
export function fourKernel<const S extends string>(
  name: string,
  record: S,
  code: string,
): Kernel<Names<S> | ItemField | Names<typeof FOUR_FIELDS>> {
  const store = `
fn item(i: u32) {
  let v = four(i);
  if (p.y_size == 0u) {
    arena[p.y + i] = (v.x & 0xffu) | ((v.y & 0xffu) << 8u) | ((v.z & 0xffu) << 16u) | (v.w << 24u);
  } else if (p.y_size == 1u) {
    arena[p.y + 2u * i] = (v.x & 0xffffu) | (v.y << 16u);
    arena[p.y + 2u * i + 1u] = (v.z & 0xffffu) | (v.w << 16u);
  } else {
    arena[p.y + 4u * i] = v.x; arena[p.y + 4u * i + 1u] = v.y;
    arena[p.y + 4u * i + 2u] = v.z; arena[p.y + 4u * i + 3u] = v.w;
  }
}`;
  const own = `${record}, ${FOUR_FIELDS}`;
  const body = { record: `${own}, ${ITEM_FIELDS}`, code, fours: true };
  return { ...itemKernel<string>(name, own, code + store), body } as never;
}
