/**
 * Ops over two or three broadcast operands (spec/10-ops.md §3).
 * @module
 */
import type { Builder } from './builder.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

const PAIR = 'axes: u32, rank: u32, a: u32, a_size: u32, b: u32, b_size: u32';
const LOADS = `
  let at: vec3<u32> = walk(p.axes, p.rank, i);
  let a: i32 = load(p.a, p.a_size, at.x);
  let b: i32 = load(p.b, p.b_size, at.y);`;

const LINEAR2 = /* @__PURE__ */ elementKernel(
  'linear2',
  `${PAIR}, za: i32, zb: i32, ma: i32, mb: i32, s: u32, zp: i32, lo: i32, hi: i32`,
  `
fn element(i: u32) -> i32 {${LOADS}
  return clamp(p.zp + rsh((a - p.za) * p.ma + (b - p.zb) * p.mb, p.s), p.lo, p.hi);
}`,
);

const MUL = /* @__PURE__ */ elementKernel(
  'mul',
  `${PAIR}, za: i32, zb: i32, raw: u32, m: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
fn element(i: u32) -> i32 {${LOADS}
  let acc: i32 = (a - p.za) * (b - p.zb);
  if (p.raw == 1u) { return acc; }
  return stage(bitcast<u32>(acc), p.m, p.l, p.zp, p.lo, p.hi);
}`,
);

const DIV = /* @__PURE__ */ elementKernel(
  'div',
  `${PAIR}, za: i32, zb: i32, p: i32, q: i32, zp: i32, lo: i32, hi: i32`,
  `
fn element(i: u32) -> i32 {${LOADS}
  let below: i32 = (b - p.zb) * p.q;
  let above: i32 = select((a - p.za) * p.p, (p.za - a) * p.p, below < 0);
  if (below == 0 && above != 0) { return select(p.lo, p.hi, above > 0); }
  let d: u32 = max(1u, bitcast<u32>(abs(below)));
  let n: u32 = bitcast<u32>(abs(above));
  let q: u32 = divide(n, d);
  let twice: u32 = 2u * (n - q * d);
  if (above < 0) { return clamp(p.zp - bitcast<i32>(q + select(0u, 1u, twice > d)), p.lo, p.hi); }
  return clamp(p.zp + bitcast<i32>(q + select(0u, 1u, twice >= d)), p.lo, p.hi);
}`,
);

const EXTREMUM = /* @__PURE__ */ elementKernel(
  'extremum',
  `${PAIR}, greatest: u32`,
  `
fn element(i: u32) -> i32 {${LOADS}
  return select(min(a, b), max(a, b), p.greatest == 1u);
}`,
);

/** Bits of `outcome`: 1 where a < b, 2 where equal, 4 where greater. */
const OUTCOMES: Readonly<Record<string, number>> = { lt: 1, le: 3, gt: 4, ge: 6, eq: 2, ne: 5 };
const COMPARE = /* @__PURE__ */ elementKernel(
  'compare',
  `${PAIR}, za: i32, zb: i32, ma: i32, mb: i32, outcome: u32`,
  `
fn element(i: u32) -> i32 {${LOADS}
  let left: i32 = (a - p.za) * p.ma;
  let right: i32 = (b - p.zb) * p.mb;
  let seen: u32 = select(select(2u, 4u, left > right), 1u, left < right);
  return select(0, 1, (p.outcome & seen) != 0u);
}`,
);

/** Truth tables: bit 2a + b. */
const TRUTH: Readonly<Record<string, number>> = { and: 8, or: 14, xor: 6, not: 3 };
const LOGICAL = /* @__PURE__ */ elementKernel(
  'logical',
  `${PAIR}, truth: u32`,
  `
fn element(i: u32) -> i32 {${LOADS}
  return bitcast<i32>((p.truth >> (bitcast<u32>(2 * a + b) & 3u)) & 1u);
}`,
);

const WHERE = /* @__PURE__ */ elementKernel(
  'where',
  'axes: u32, rank: u32, condition: u32, a: u32, b: u32, size: u32',
  `
fn element(i: u32) -> i32 {
  let at: vec3<u32> = walk(p.axes, p.rank, i);
  return select(load(p.b, p.size, at.z), load(p.a, p.size, at.y), load(p.condition, 0u, at.x) == 1);
}`,
);

/** The two operands of a node; the first stands for an absent second. */
function pair(s: Pick<Site<'mul'>, 'in' | 'out'>, b: Builder) {
  const left = s.in[0]!;
  const right = s.in[1] ?? left;
  return {
    ...b.broadcast(s.out[0]!, left, right),
    a: b.at(left),
    a_size: left.size,
    b: b.at(right),
    b_size: right.size,
    za: left.zp,
    zb: right.zp,
  };
}

/** linear2: an absent b has the factor 0. */
export function linear2(s: Site<'linear2'>, b: Builder): string {
  const { ma, mb, s: shift, output } = s.attrs;
  const { zp, lo, hi } = output;
  const factor = s.in[1] === undefined ? 0 : mb;
  b.elements(LINEAR2, b.target(s.out[0]!), { ...pair(s, b), ma, mb: factor, s: shift, zp, lo, hi });
  return LINEAR2.name;
}

/** mul: staged or raw. */
export function mul(s: Site<'mul'>, b: Builder): string {
  const { stage } = s.attrs;
  const { l, zp, lo, hi } = stage ?? { l: 0, zp: 0, lo: 0, hi: 0 };
  const own = { raw: stage === undefined, m: stage?.m[0] ?? 0, l, zp, lo, hi };
  b.elements(MUL, b.target(s.out[0]!), { ...pair(s, b), ...own });
  return MUL.name;
}

/** div: long division of magnitudes. */
export function div(s: Site<'div'>, b: Builder): string {
  const { p, q, output } = s.attrs;
  const { zp, lo, hi } = output;
  b.elements(DIV, b.target(s.out[0]!), { ...pair(s, b), p, q, zp, lo, hi }, 32);
  return DIV.name;
}

/** min: of raw integers. */
export function min(s: Site<'min'>, b: Builder): string {
  b.elements(EXTREMUM, b.target(s.out[0]!), { ...pair(s, b), greatest: false });
  return 'min';
}

/** max: of raw integers. */
export function max(s: Site<'max'>, b: Builder): string {
  b.elements(EXTREMUM, b.target(s.out[0]!), { ...pair(s, b), greatest: true });
  return 'max';
}

/** compare: of exact products. */
export function compare(s: Site<'compare'>, b: Builder): string {
  const { op, ma, mb } = s.attrs;
  b.elements(COMPARE, b.target(s.out[0]!), { ...pair(s, b), ma, mb, outcome: OUTCOMES[op]! });
  return COMPARE.name;
}

/** logical: by its truth table. */
export function logical(s: Site<'logical'>, b: Builder): string {
  b.elements(LOGICAL, b.target(s.out[0]!), { ...pair(s, b), truth: TRUTH[s.attrs.op]! });
  return LOGICAL.name;
}

/** where: one of two by a truth value. */
export function where(s: Site<'where'>, b: Builder): string {
  const [condition, a, other] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const y = s.out[0]!;
  const places = { condition: b.at(condition), a: b.at(a), b: b.at(other), size: y.size };
  b.elements(WHERE, b.target(y), { ...b.broadcast(y, condition, a, other), ...places });
  return WHERE.name;
}
