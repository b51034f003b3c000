/** Sizes of the entry points: in docs/sizes.md, and below their limits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ENTRIES, measure } from '../../scripts/sizes/measure.ts';
import { LIMITS, problems } from '../../scripts/sizes/table.ts';

it('every entry point keeps its limit, and the table says how large it is', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/sizes.md'), 'utf8');
  const sizes = await Promise.all(ENTRIES.map(measure));
  expect(problems(text, sizes)).toEqual([]);
  expect(Object.keys(LIMITS).sort()).toEqual([...ENTRIES].sort());
  const [first] = sizes;
  const heavy = { ...first!, loaded: { raw: 1, gzipped: LIMITS[first!.entry]! + 1 } };
  expect(problems(text, [heavy])).toHaveLength(1);
  expect(problems(text, [{ ...first!, entry: 'samebit/nothing' }])).toHaveLength(1);
  expect(problems('', [first!])).toHaveLength(1);
});
