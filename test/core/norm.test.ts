/** The variance of the longest rows against its definition in integers of any size (spec/10-ops.md §5, layer_norm). */
import { expect, it } from 'vitest';
import { finishVariance, meanQ } from '../../src/ops/norm.ts';
import { Prng } from '../support/prng.ts';

/** ⌊a / n⌋ for n > 0. */
function floor(a: bigint, n: bigint): bigint {
  return a >= 0n ? a / n : -((-a + n - 1n) / n);
}

/** V and the mean against BigInt. */
function check(row: readonly number[], f: number): void {
  const n = row.length;
  const s1 = row.reduce((sum, v) => sum + v, 0);
  const [N, F] = [BigInt(n), 1n << BigInt(f)];
  const mean = floor(2n * BigInt(s1) * F + N, 2n * N);
  expect(meanQ(s1, n, f)).toBe(Number(mean));
  let [squares, rho] = [0n, 0n];
  for (const v of row) {
    const c = BigInt(v) * F - mean;
    squares += c * c;
    rho += c;
  }
  expect(finishVariance(Number(squares), n, s1, f, 77)).toBe(Number(squares - floor(rho * rho, N) + 77n));
}

it('rows of up to 65536 elements far from zero: V and the mean are exact', () => {
  const r = new Prng(3);
  for (const n of [65536, 65535, 40001]) {
    for (const [lo, hi, f] of [
      [32000, 32767, 0],
      [-32768, -32000, 0],
      [-32768, 32767, 0],
      [-255, -250, 6],
      [0, 255, 6],
    ] as const) {
      const row = Array.from({ length: n }, () => r.int(lo, hi));
      check(row, f);
    }
  }
});

it('sums about the mean stay below 2^53; about any other point these rows would round', () => {
  for (const seed of [12, 131, 149]) {
    const r = new Prng(seed);
    const n = r.int(60000, 65536);
    check(
      Array.from({ length: n }, () => r.int(32000, 32767)),
      0,
    );
  }
});
