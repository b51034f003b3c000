/**
 * cumsum: sums of 1, 2, 4, … neighbours, one pass each (spec/10-ops.md §4).
 * @module
 */
import { elementCount } from '../../core/tensor.ts';
import type { Builder, Target } from './builder.ts';
import { type Divisor, divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

/** x' of each element, or of the one before it in the order of summation. */
const TERMS = /* @__PURE__ */ elementKernel(
  'cumsum_terms',
  'x: u32, x_size: u32, zx: i32, n: Divisor, inner: Divisor, reverse: u32, exclusive: u32',
  `
fn element(i: u32) -> i32 {
  if (p.exclusive == 0u) { return load(p.x, p.x_size, i) - p.zx; }
  let line: u32 = quotient(i, p.inner);
  let k: u32 = line - quotient(line, p.n) * p.n.n;
  if (k == select(0u, p.n.n - 1u, p.reverse == 1u)) { return 0; }
  return load(p.x, p.x_size, select(i - p.inner.n, i + p.inner.n, p.reverse == 1u)) - p.zx;
}`,
);

/** Adds the sum that ends `distance` elements before. */
const STEP = /* @__PURE__ */ elementKernel(
  'cumsum_step',
  'sums: u32, n: Divisor, inner: Divisor, reverse: u32, distance: u32',
  `
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let k: u32 = line - quotient(line, p.n) * p.n.n;
  let own: u32 = arena[p.sums + i];
  let far: u32 = p.distance * p.inner.n;
  if (p.reverse == 1u) {
    if (k + p.distance >= p.n.n) { return bitcast<i32>(own); }
    return bitcast<i32>(own + arena[p.sums + i + far]);
  }
  if (k < p.distance) { return bitcast<i32>(own); }
  return bitcast<i32>(own + arena[p.sums + i - far]);
}`,
);

/** Lines of n elements, `inner` apart. */
export interface Lines {
  readonly n: Divisor;
  readonly inner: Divisor;
  readonly reverse: boolean;
}

/** Sums of the words `from`, which they overwrite, in ⌈log2 n⌉ passes, the last into `last` if given. Returns where they are. */
export function summed(b: Builder, terms: Target, lines: Lines, last?: Target): Target {
  const length = lines.n.n;
  let from = terms;
  let spare: Target | undefined;
  for (let distance = 1; distance < length; distance *= 2) {
    const to = (distance * 2 < length ? undefined : last) ?? spare ?? words(b, terms.count);
    b.elements(STEP, to, { ...lines, sums: from.at, distance });
    [from, spare] = [to, from];
  }
  return from;
}

/** So many words of scratch. */
export function words(b: Builder, count: number): Target {
  return { at: b.scratch(count), size: 2, count };
}

/** cumsum: terms, then their sums, the last pass into y. */
export function cumsum(s: Site<'cumsum'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { axis, exclusive, reverse } = s.attrs;
  const lines = { n: divisor(x.shape[axis]!), inner: divisor(elementCount(x.shape.slice(axis + 1))), reverse };
  const terms = lines.n.n > 1 ? words(b, y.count) : b.target(y);
  b.elements(TERMS, terms, { ...lines, x: b.at(x), x_size: x.size, zx: x.zp, exclusive });
  summed(b, terms, lines, b.target(y));
  return 'cumsum';
}
