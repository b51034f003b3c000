/** The golden models: files and figures written by test/oracle/models.py, held against this implementation and every backend. */
import { describe, expect, it } from 'vitest';
import { COST_CLASSES } from '../src/core/cost.ts';
import { OPS } from '../src/ops/index.ts';
import { LANES } from './backends.ts';
import { checkFacts, checkMemory, checkRuns, MODELS } from './support/golden-models.ts';

it('they cover every op and every cost class that an op of this version counts', () => {
  expect(MODELS.length).toBe(99);
  expect([...new Set(MODELS.flatMap((g) => g.ops))].sort()).toEqual(Object.keys(OPS).sort());
  const counted = new Set(MODELS.flatMap((g) => Object.keys(g.cost)));
  expect(COST_CLASSES.filter((c) => !counted.has(c))).toEqual([]);
});

describe.each(MODELS.map((g) => [g.name, g] as const))('%s', (_, g) => {
  it('bytes, id, types, intervals, row sums, cost', () => checkFacts(g));
  it('memory at the dims of each run', () => checkMemory(g));
  it.each(LANES)('runs on %s', (__, backend) => checkRuns(g, backend));
});
