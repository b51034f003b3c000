/**
 * cumsum: sums of 1, 2, 4, … neighbours, one pass each (spec/10-ops.md §4).
 * @module
 */
import { elementCount } from '../../core/tensor.ts';
import type { Builder, Target } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

/** x' of each element, or of the one before it in the order of summation. */
const TERMS = /* @__PURE__ */ elementKernel(
  'cumsum_terms',
  'x: u32, x_size: u32, zx: i32, n: Divisor, inner: Divisor, reverse: u32, exclusive: u32',
  `
fn element(i: u32) -> i32 {
  if (p.exclusive == 0u) { return load(p.x, p.x_size, i) - p.zx; }
  let line = quotient(i, p.inner);
  let k = line - quotient(line, p.n) * p.n.n;
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
  let line = quotient(i, p.inner);
  let k = line - quotient(line, p.n) * p.n.n;
  let own = arena[p.sums + i];
  let far = p.distance * p.inner.n;
  if (p.reverse == 1u) {
    if (k + p.distance >= p.n.n) { return bitcast<i32>(own); }
    return bitcast<i32>(own + arena[p.sums + i + far]);
  }
  if (k < p.distance) { return bitcast<i32>(own); }
  return bitcast<i32>(own + arena[p.sums + i - far]);
}`,
);

/** cumsum: ⌈log2 n⌉ passes over sums in scratch, the last into y. */
export function cumsum(s: Site<'cumsum'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { axis, exclusive, reverse } = s.attrs;
  const length = x.shape[axis]!;
  const shape = { n: divisor(length), inner: divisor(elementCount(x.shape.slice(axis + 1))), reverse };
  const words = (): Target => ({ at: b.scratch(y.count), size: 2, count: y.count });
  let from = length > 1 ? words() : b.target(y);
  b.elements(TERMS, from, { ...shape, x: b.at(x), x_size: x.size, zx: x.zp, exclusive });
  let spare = length > 2 ? words() : from;
  for (let distance = 1; distance < length; distance *= 2) {
    const to = distance * 2 >= length ? b.target(y) : spare;
    b.elements(STEP, to, { ...shape, sums: from.at, distance });
    [from, spare] = [to, from];
  }
  return 'cumsum';
}
