/**
 * Writes src/conformance/cases.gen.ts: the golden models, the op vectors of whole tensors as models, and random graphs, each
 * run with the digest that it must give. Those of the first two come from the oracle, those of random graphs from the
 * reference. `--check`: compares instead.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ConformanceCase } from '../src/conformance.ts';
import { hex, runDigest } from '../src/core/digest.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { Model } from '../src/graph/ir.ts';
import { loadModel } from '../src/runtime/load.ts';
import { bind, createPlan } from '../src/runtime/plan.ts';
import { readGolden } from '../test/golden.ts';
import { graphOf } from '../test/ops/graph.ts';
import { stored, valuesOf } from '../test/ops/node.ts';
import { isDeclarable, type TypedVector, typed, typedCase } from '../test/ops/vectors.ts';
import { base64, randomCase, written } from '../test/support/conformance-case.ts';
import { fileOf, inputsOf, MODELS } from '../test/support/golden-models.ts';

const PATH = 'src/conformance/cases.gen.ts';
const GRAPHS = 200;
const SEED = 7_000_000;

function golden(): ConformanceCase[] {
  return MODELS.map((g) => {
    const model = loadModel(fileOf(g));
    return {
      name: g.name,
      sbm: g.sbm,
      runs: g.runs.map((r) => ({ inputs: written(inputsOf(model, r)), digest: r.digest })),
    };
  });
}

/** Inputs of a one-node model from the elements of its vector, at the dims of the run. */
function inputsAt(model: Model, c: ReturnType<typeof typedCase>): Record<string, Tensor> {
  const variables = c.operands.flatMap((t) => (t !== undefined && t.const !== true ? [t] : []));
  return Object.fromEntries(
    model.inputs.map((d, i): [string, Tensor] => {
      const t = variables[i]!;
      return [d.name, { dtype: t.dtype, shape: t.shape, data: stored(t.dtype, valuesOf(t)) }];
    }),
  );
}

function vectors(): ConformanceCase[] {
  return typed.flatMap((file) =>
    readGolden<TypedVector[]>('ops', file)
      .filter(isDeclarable)
      .map((v, i): ConformanceCase => {
        const c = typedCase(v);
        const bytes = encodeModel(graphOf(c).graph);
        const model = loadModel(bytes);
        const plan = createPlan(bind(model, {}));
        const outputs = plan.outputs.map((id, k): Tensor => {
          const { dtype, shape } = plan.tensors[id]!;
          return { dtype, shape, data: stored(dtype, valuesOf(v.expected[k]!)) };
        });
        const run = { inputs: written(inputsAt(model, c)), digest: hex(runDigest(model.id, outputs)) };
        return { name: `${file} ${i}`, sbm: base64(bytes), runs: [run] };
      }),
  );
}

const cases = [...golden(), ...vectors()];
for (let i = 0; i < GRAPHS; i++) cases.push(await randomCase(SEED + i));
const lines = cases.map((c) => JSON.stringify(c).replace(/[\\`$]/g, '\\$&'));
const text = `/* Written by scripts/build-conformance.ts. */
/** The cases of the conformance suite as JSON. */
export const CASES: string = \`[
${lines.join(',\n')}
]\`;
`;
const runs = cases.reduce((n, c) => n + c.runs.length, 0);
if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (readFileSync(PATH, 'utf8') !== text) throw new Error(`${PATH} is stale: run npm run gen`);
console.log(`conformance: ${cases.length} models, ${runs} runs, ${text.length} bytes`);
