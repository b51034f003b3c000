/** Files that are no valid models, and twins at the accepted side of each edge, written by test/oracle/invalid.py. */
import { describe, expect, it } from 'vitest';
import { MODEL_ERRORS } from '../src/core/errors.ts';
import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';
import { bytesOf, checkRule, GROUPS, rulesOf, verdict } from './support/invalid-files.ts';

const cases = GROUPS.flatMap(([, list]) => list);

describe.each(GROUPS)('%s', (_, list) => {
  it.each(rulesOf(list))('%s', (rule) => checkRule(list, rule));
});

describe('all of them', () => {
  it('every code of ModelError is met', () => {
    expect([...new Set(cases.map((c) => c.code))].sort()).toEqual(Object.keys(MODEL_ERRORS).sort());
  });

  it('every prefix of a twin that ends in a constant is refused: the outputs of nodes come behind the constants', () => {
    const small = [...new Set(cases.map((c) => c.good))].filter((g) => typeof g === 'string' && g.length < 150);
    const models = small.map((g) => bytesOf(g!)).filter((bytes) => loadModel(bytes).constants.length > 0);
    expect(models.length).toBeGreaterThan(20);
    for (const bytes of models) {
      expect(encodeModel(loadModel(bytes))).toEqual(bytes);
      for (let n = 0; n < bytes.length; n++) expect(verdict(bytes.subarray(0, n))).toMatch(/^ModelError /);
    }
  });
});
