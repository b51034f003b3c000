/**
 * The golden files in one process: models on every backend, invalid files but for the large ones, typed vectors through the
 * rules and the reference. Throws at the first difference. It is what most mutants meet and none of them survives.
 */
import { deepEqual } from 'node:assert/strict';
import type { OpName } from '../src/ops/index.ts';
import { BACKENDS } from '../test/backends.ts';
import { readGolden, type Vector, vectorFiles } from '../test/golden.ts';
import { positional, runReference, type Tensor } from '../test/ops/node.ts';
import { checkFacts, checkMemory, checkRuns, MODELS } from '../test/support/golden-models.ts';
import { checkRule, GROUPS, LARGE, rulesOf } from '../test/support/invalid-files.ts';

type Typed = Vector & {
  readonly inputs: Readonly<Record<string, Tensor | readonly Tensor[]>>;
  readonly expected: readonly Tensor[];
};

for (const file of vectorFiles('ops').filter((f) => f.startsWith('tensor_'))) {
  for (const v of readGolden<Typed[]>('ops', file)) {
    const op = v.op as OpName;
    const { outputs, proved } = runReference({ op, attrs: v.attrs, operands: positional(op, v.inputs) });
    deepEqual(
      outputs.map((o) => [...o]),
      v.expected.map((e) => e.data),
    );
    deepEqual(
      proved.bounds.y.map((y) => [y.lo, y.hi]),
      v.expected.map((e) => [e.lo, e.hi]),
    );
  }
}
for (const g of MODELS) {
  checkFacts(g);
  checkMemory(g);
  for (const backend of BACKENDS) await checkRuns(g, backend);
}
for (const [, cases] of GROUPS) for (const rule of rulesOf(cases)) if (!LARGE.includes(rule)) checkRule(cases, rule);
