/**
 * Known answers that a GPU must give: arithmetic at its edges, and loops that some drivers cut short.
 * @module
 */
import { bitlen, divq, floorDiv, isqrt, mulhr, rsh } from '../../core/int.ts';
import { type ElementField, elementKernel, type Kernel } from './kernel.ts';

/** Values at which arithmetic goes wrong, as u32. */
export const EDGES: Uint32Array = Uint32Array.of(
  ...[0, 1, 2, 3, 127, 128, 255, 32767, 32768, 65535, 65536, 65537, 0x00ff00ff, 0x3fffffff, 0x40000000, 0x55555555],
  ...[0x7f7f7f7f, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0x80808080, 0x8000ffff, 0xaaaaaaaa, 0xffff0000],
  ...[0xfffffffe, 0xffffffff],
);

/** A binary function of the prelude in WGSL over `a` and `b`, and its value. */
type Check = readonly [name: string, wgsl: string, value: (a: number, b: number) => number];

const mulhi = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n);
/** What is checked, at every pair of edges. */
export const CHECKS: readonly Check[] = [
  ['wrapping sum', 'a + b', (a, b) => a + b],
  ['wrapping difference', 'a - b', (a, b) => a - b],
  ['wrapping product', 'a * b', (a, b) => Math.imul(a, b)],
  ['mulhi', 'mulhi(a, b)', mulhi],
  ['mulhr', 'bitcast<u32>(mulhr(bitcast<i32>(a), bitcast<i32>(b)))', (a, b) => mulhr(a | 0, b | 0)],
  ['rsh', 'bitcast<u32>(rsh(bitcast<i32>(a) >> 1u, b & 29u))', (a, b) => rsh((a | 0) >> 1, b & 29)],
  ['shift left by 32 and more', 'a << (b & 63u)', (a, b) => a << (b & 63)],
  ['shift right by 32 and more', 'a >> (b & 63u)', (a, b) => a >>> (b & 63)],
  ['arithmetic shift', 'bitcast<u32>(bitcast<i32>(a) >> (b & 63u))', (a, b) => a >> (b & 63)],
  ['divide', 'divide(a, max(b, 1u))', (a, b) => floorDiv(a, Math.max(b, 1))],
  [
    'divq',
    'divq(min(a, b) >> 1u, max(b >> 1u, 1u), 30u)',
    (a, b) => divq(Math.min(a, b) >>> 1, Math.max(b >>> 1, 1), 30),
  ],
  ['isqrt', 'isqrt(a ^ b)', (a, b) => isqrt((a ^ b) >>> 0)],
  ['leading zeros', 'countLeadingZeros(a & b)', (a, b) => 32 - bitlen((a & b) >>> 0)],
  ['signed order', 'select(0u, 1u, bitcast<i32>(a) < bitcast<i32>(b))', (a, b) => Number((a | 0) < (b | 0))],
  ['unsigned order', 'select(0u, 1u, a < b)', (a, b) => Number(a < b)],
  ['clamp', 'bitcast<u32>(clamp(bitcast<i32>(a), -128, 127))', (a) => Math.max(-128, Math.min(127, a | 0))],
  ['bytes', 'bitcast<u32>(part(a, 0u, b & 3u))', (a, b) => (a << (24 - 8 * (b & 3))) >> 24],
  ['halves', 'bitcast<u32>(part(a, 1u, b & 1u))', (a, b) => (a << (16 - 16 * (b & 1))) >> 16],
];

/** Number of edges. */
export const COUNT: number = EDGES.length;
/** Every check at every pair of edges. */
export const ARITHMETIC: Kernel<ElementField | 'edges' | 'pairs' | 'side'> = /* @__PURE__ */ elementKernel(
  'probe_arithmetic',
  'edges: u32, pairs: Divisor, side: Divisor',
  `
fn element(i: u32) -> i32 {
  let check: u32 = quotient(i, p.pairs);
  let pair: u32 = i - check * p.pairs.n;
  let row: u32 = quotient(pair, p.side);
  let a: u32 = constants[p.edges + row];
  let b: u32 = constants[p.edges + pair - row * p.side.n];
  var v: u32 = 0u;
  switch (check) {
${CHECKS.map(([, wgsl], i) => `    case ${i}u: { v = ${wgsl}; }`).join('\n')}
    default: {}
  }
  return bitcast<i32>(v);
}`,
);

/** Name of the first check that has a wrong answer. */
export function wrongCheck(got: Int32Array): string | undefined {
  const wrong = CHECKS.find(([, , value], c) =>
    EDGES.some((a, i) => EDGES.some((b, j) => got[(c * COUNT + i) * COUNT + j] !== (value(a, b) | 0))),
  );
  return wrong?.[0];
}

/** Turns of the long loop and of the two nested ones: each past 65,536 in all. */
export const LONG = 70_001;
export const OUTER = 301;
/** Turns of the inner one. */
export const INNER = 257;

function linear(turns: number, next: (s: number, i: number) => number): number {
  let s = 1;
  for (let i = 0; i < turns; i++) s = next(s, i) | 0;
  return s;
}

/** What the long loop leaves: s = s·1664525 + i. */
export const LONG_ANSWER: number = /* @__PURE__ */ linear(LONG, (s, i) => Math.imul(s, 1664525) + i);

/** What the nested loops leave: s = s·22695477 + i + j. */
export const NESTED_ANSWER: number = /* @__PURE__ */ linear(
  OUTER * INNER,
  (s, i) => Math.imul(s, 22695477) + floorDiv(i, INNER) + (i % INNER),
);
