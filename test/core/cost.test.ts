/** Schedule 1 and the cost classes against the table of spec/10-ops.md; gas of vectors by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COST_CLASSES, charged, gasAt, pricePoly, SCHEDULE_1, SCHEDULES, sumCosts } from '../../src/core/cost.ts';
import { constant, type Poly } from '../../src/core/poly.ts';

it('schedule 1 is the table of the specification, in the order of the classes', () => {
  const spec = readFileSync(join(import.meta.dirname, '../../spec/10-ops.md'), 'utf8');
  const rows = [...spec.matchAll(/^\| `(\w+)` \| (\d+) \|$/gm)].map((m) => [m[1], Number(m[2])]);
  expect(rows.length).toBe(31);
  expect(COST_CLASSES.map((c) => [c, SCHEDULE_1.weights[c]])).toEqual(rows);
  const [, base] = /^Base of schedule 1: (\d+)\.$/m.exec(spec)!;
  expect([SCHEDULE_1.id, SCHEDULE_1.base, SCHEDULES]).toEqual([1, BigInt(base!), [SCHEDULE_1]]);
});

it('gas is the base and the price in quarters, rounded up once', () => {
  const one = { ...SCHEDULE_1, base: 7n, weights: { ...SCHEDULE_1.weights, op: 3, byte: 1 } };
  for (const [op, byte, gas] of [
    [0, 0, 7n],
    [1, 0, 8n],
    [1, 1, 8n],
    [1, 2, 9n],
    [2, 2, 9n],
    [2, 3, 10n],
  ] as const) {
    expect(gasAt({ op: constant(op), byte: constant(byte) }, one, [])).toBe(gas);
  }
  // 3·(1 + 2t) + 5 at t = 4 is 32
  const t: Poly = new Map([
    ['', 1n],
    ['1', 2n],
  ]);
  expect(gasAt({ op: t, byte: constant(5) }, one, [4])).toBe(15n);
  expect(pricePoly({ op: t }, one)).toEqual(
    new Map([
      ['', 3n],
      ['1', 6n],
    ]),
  );
});

it('a sum of vectors leaves out classes that count nothing', () => {
  expect(sumCosts([{ op: constant(2), byte: constant(0) }, { op: constant(3) }, {}])).toEqual({ op: constant(5) });
});

it('charged extents', () => {
  expect([0, 1, 7, 8, 9, 16, 17].map((n) => charged(n, 8))).toEqual([0, 8, 8, 8, 16, 16, 24]);
});
