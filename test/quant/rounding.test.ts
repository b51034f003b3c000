import { describe, expect, it } from 'vitest';
import { covariance, roundRow } from '../../src/quant/rounding.ts';
import { values } from '../onnx/build.ts';

/** rᵀCr of the rounding errors. */
function cost(v: Float64Array, q: Int8Array, c: Float64Array): number {
  const k = v.length;
  let sum = 0;
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) sum += (v[i]! - q[i]!) * (v[j]! - q[j]!) * c[i * k + j]!;
  return sum;
}

describe('rounding against the covariance', () => {
  const k = 9;
  const mean = new Float64Array(k).fill(1);
  const second = Float64Array.from({ length: k * k }, (_, i) => 1 + (i % (k + 1) === 0 ? 1.05 : 1)); // neighbours agree

  it('keeps the sum of correlated weights, which rounding each alone does not', () => {
    const c = covariance({ mean, second })!;
    const v = Float64Array.from(values(k, 7), (x) => 20 * x + 0.4);
    const near = Int8Array.from(v, (x) => Math.floor(x + 0.5));
    const own = roundRow(v, c);
    expect(cost(v, own, c)).toBeLessThan(0.5 * cost(v, near, c));
    const drift = (q: Int8Array): number => Math.abs(v.reduce((s, x, i) => s + x - q[i]!, 0));
    expect(drift(own)).toBeLessThanOrEqual(0.51);
    own.forEach((q, i) => {
      expect(Math.abs(q - v[i]!)).toBeLessThan(2);
    });
  });

  it('stays within −127…127 and is the nearest integer for independent inputs', () => {
    const eye = Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    expect([...roundRow(Float64Array.of(126.9, -200, 0.4, -0.6), eye)]).toEqual([127, -127, 0, -1]);
  });

  it('is undefined where no second moments were kept', () => {
    expect(covariance({ mean, second: new Float64Array(0) })).toBeUndefined();
  });
});
