/**
 * Sliced runs at length: random budgets over the golden models and mnist-cnn, snapshots that move as bytes between the reference and
 * wasm in three processes. Exit 1 where a digest differs. `npm run slices -- [--budgets 1000] [--seed S]`
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { elsewhere, here, inputsOf, slicedRun } from '../test/runtime/lanes.ts';
import { fileOf, MODELS } from '../test/support/golden-models.ts';
import { readArgs } from './args.ts';

const { values } = readArgs({
  options: { budgets: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const mnist = new Uint8Array(readFileSync(join(import.meta.dirname, '../test/golden/models/mnist-cnn.sbm')));
const files: readonly Uint8Array[] = [mnist, ...MODELS.map(fileOf)];
const others = [elsewhere(), elsewhere()];
const lanes = [here, ...others.map((o) => o.lane)];
let [moves, differences, onMnist] = [0, 0, 0];
for (let i = 0; i < Number(values.budgets); i++) {
  const seed = Number(values.seed) * 1_000_000 + i;
  const bytes = files[i % 8 === 0 ? 0 : 1 + (i % MODELS.length)]!;
  const model = loadModel(bytes);
  const session = await createSession(model, { backend: 'wasm' });
  const { digest } = await session.run(inputsOf(model, seed));
  session.dispose();
  const sliced = await slicedRun(model, Buffer.from(bytes).toString('base64'), seed, lanes);
  moves += sliced.moves;
  if (bytes === mnist) onMnist++;
  if (sliced.digest !== digest) {
    differences++;
    console.error(`run ${i}, seed ${seed}: ${sliced.digest} instead of ${digest}`);
  }
}
for (const o of others) o.end();
console.log(
  `${values.budgets} sliced runs (${onMnist} of mnist-cnn), ${moves} moves between lanes, ${differences} differences`,
);
if (differences > 0) process.exitCode = 1;
