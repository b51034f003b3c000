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

/** Workgroups along x of a dispatch over words; more go along y. */
export const ROW_GROUPS = 32768;

/** Invocations of a workgroup of a kernel over words. */
export const WORD_GROUP = 64;

/** Fields that every kernel over elements has: words `first…end` of the tensor y, whose elements are `count`. */
const ELEMENT_FIELDS = 'first: u32, end: u32, count: u32, y: u32, y_size: u32';

/** Fields that `element` may read beside its own. */
export type ElementField = Names<typeof ELEMENT_FIELDS>;

/**
 * A kernel given as one output element: `fn element(i: u32) -> i32` at flat index i. An invocation makes whole words, so
 * no two write the same one.
 */
/* @__NO_SIDE_EFFECTS__ */
export function elementKernel<const S extends string>(
  name: string,
  record: S,
  code: string,
): Kernel<Names<S> | ElementField> {
  const main = `
@compute @workgroup_size(${WORD_GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let word = p.first + id.y * ${ROW_GROUPS * WORD_GROUP}u + id.x;
  if (word >= p.end) { return; }
  let lanes = 4u >> p.y_size;
  let width = 8u << p.y_size;
  var bits = 0u;
  for (var lane = 0u; lane < lanes; lane++) {
    let i = word * lanes + lane;
    if (i < p.count) { bits |= (bitcast<u32>(element(i)) & (0xffffffffu >> (32u - width))) << (lane * width); }
  }
  arena[p.y + word] = bits;
}`;
  return kernel<`${S}, ${typeof ELEMENT_FIELDS}`>(name, `${record}, ${ELEMENT_FIELDS}`, code + main) as Kernel<
    Names<S> | ElementField
  >;
}
