/** Names, codes and tags are frozen: a file written today is read by every later release. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COST_CLASSES, SCHEDULE_1 } from '../../src/core/cost.ts';
import { DTYPES } from '../../src/core/tensor.ts';
import { OP_BY_CODE, OPS } from '../../src/ops/index.ts';

interface Frozen {
  readonly dtypes: Record<string, number>;
  readonly ops: Record<string, { code: number; attrs: Record<string, number>; operands: string[] }>;
  readonly cost_classes: string[];
  readonly schedule_1: { base: number; weights: number[] };
}

const frozen = JSON.parse(readFileSync(new URL('../golden/opcodes.json', import.meta.url), 'utf8')) as Frozen;

describe('frozen wire names', () => {
  it('dtype codes', () => expect(Object.fromEntries(DTYPES.map((d, i) => [d, i]))).toEqual(frozen.dtypes));

  it('ops, attributes and operands', () => {
    const now = Object.fromEntries(
      Object.entries(OPS).map(([name, def]) => [
        name,
        {
          code: def.code,
          attrs: Object.fromEntries(Object.entries(def.attrs).map(([n, f]) => [n, f.tag])),
          operands: def.operands.map((o) => o.name),
        },
      ]),
    );
    expect(now).toEqual(frozen.ops);
    expect(OP_BY_CODE.size).toBe(Object.keys(OPS).length);
    for (const [name, def] of Object.entries(OPS)) {
      const tags = Object.values(def.attrs).map((f) => f.tag);
      expect(new Set(tags).size, name).toBe(tags.length);
      expect(Math.min(1, ...tags), name).toBe(1);
    }
  });

  it('cost classes and schedule 1', () => {
    expect(COST_CLASSES).toEqual(frozen.cost_classes);
    expect(COST_CLASSES.map((c) => SCHEDULE_1.weights[c])).toEqual(frozen.schedule_1.weights);
    expect(SCHEDULE_1.base).toBe(BigInt(frozen.schedule_1.base));
  });
});
