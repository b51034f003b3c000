/** The known answers of the wasm self-test, recomputed in BigInt from the formulas of spec/10-ops.md. */
import { expect, test } from 'vitest';
import { instantiate, type Kernels, loadModule } from '../../src/backends/wasm/module.ts';
import { loadMore } from '../../src/backends/wasm/more/index.ts';
import { SOFTMAX, selfTestMore } from '../../src/backends/wasm/more/selftest.ts';
import { BASE, KNOWN_ANSWERS, selfTest } from '../../src/backends/wasm/selftest.ts';

const floorDiv = (a: bigint, n: bigint): bigint => a / n - (a % n < 0n ? 1n : 0n);
const mulhr = (x: bigint, m: bigint): bigint => floorDiv(x * m + (1n << 31n), 1n << 32n);
const clamp = (v: bigint, lo: bigint, hi: bigint): bigint => (v < lo ? lo : v > hi ? hi : v);

test('matrix', () => {
  const x = [
    [-125n, 130n],
    [8n, -3n],
  ];
  const w = [
    [127n, -128n],
    [-1n, 3n],
  ];
  const [b, m] = [
    [1000n, -7n],
    [2147483647n, 536870912n],
  ];
  const y = x.flatMap((r) =>
    w.map((c, o) => clamp(10n + mulhr(b[o]! + r[0]! * c[0]! + r[1]! * c[1]!, m[o]!), -100n, 127n)),
  );
  expect(y.map(Number)).toEqual(KNOWN_ANSWERS.matrix);
});

test('depthwise', () => {
  const x = [102n, -98n];
  const w = (t: number): bigint => BigInt(31 * t - 128);
  const acc = [x[0]! * w(4) + x[1]! * w(5), x[0]! * w(3) + x[1]! * w(4)];
  expect(acc.map((a) => Number(clamp(3n + mulhr(1000n + a, 40000000n), -128n, 127n)))).toEqual(KNOWN_ANSWERS.depthwise);
});

test('softmax', () => {
  const exp2 = (i: number): bigint => BigInt(Math.round(2 ** (23 - i / 256)));
  const weight = (d: number): bigint => {
    const t = Number(mulhr(BigInt(d) << 7n, 1600000000n));
    const i = (t >> 8) & 255;
    const v = exp2(i) - floorDiv((exp2(i) - exp2(i + 1)) * BigInt(t & 255) + 128n, 256n);
    const s = BigInt(Math.min((t >> 16) + 1, 25));
    return floorDiv(v + (1n << (s - 1n)), 1n << s);
  };
  const e = [281, 1281, 0].map(weight);
  const sum = e.reduce((a, v) => a + v, 0n);
  expect(e.map((v) => Number(((v << 15n) + sum / 2n) / sum))).toEqual(SOFTMAX);
});

test('a wrong kernel is named', async () => {
  const { memory, kernels } = instantiate([await loadModule()], 1, BASE);
  expect(selfTest(kernels, memory)).toBeUndefined();
  const broken: Kernels = { ...kernels, depthwise: () => {} };
  expect(selfTest(broken, memory)).toBe('depthwise');
  const second = instantiate([await loadMore(false)], 1, BASE);
  expect(selfTestMore(second.kernels, second.memory)).toBeUndefined();
  expect(selfTestMore({ softmax: () => {} }, instantiate([await loadMore(false)], 1, BASE).memory)).toBe('softmax');
});
