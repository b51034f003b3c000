/**
 * The application in TypeScript: `tsx app.ts --socket PATH --home DIR --models DIR [--wrong-bit]`. DIR of the models has
 * `genesis.json` (the `app_state` of the chain) and a file `<id>.sbm` for each model. `--wrong-bit` answers some questions wrongly.
 * @module
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadModel } from '../../src/index.ts';
import { serve } from './abci.ts';
import { Application, type Fault, type Genesis, sha256 } from './application.ts';
import { runnerOf } from './runner.ts';

const { values } = parseArgs({
  options: {
    socket: { type: 'string' },
    home: { type: 'string' },
    models: { type: 'string' },
    'wrong-bit': { type: 'boolean', default: false },
  },
});
const { socket, home, models } = values;
if (socket === undefined || home === undefined || models === undefined)
  throw new Error('--socket, --home and --models are wanted');

const genesis = JSON.parse(readFileSync(join(models, 'genesis.json'), 'utf8')) as Genesis;
const runners = await Promise.all(
  genesis.models.map(async ({ id }) => {
    const runner = await runnerOf(loadModel(new Uint8Array(readFileSync(join(models, `${id}.sbm`)))), {
      backend: 'wasm',
    });
    if (runner.id !== id) throw new Error(`the file of model ${id} has another`);
    return runner;
  }),
);

/** Flips the last bit of the first value of the answers to a quarter of the transactions. */
const wrongBit: Fault = (tx, data) => {
  if (sha256(tx)[0]! < 64) data[0]! ^= 1;
  return data;
};

mkdirSync(home, { recursive: true });
rmSync(socket, { force: true });
const fault = values['wrong-bit'] ? wrongBit : undefined;
const app = new Application({ genesis, runners, file: join(home, 'state'), fault });
serve(socket, (kind, fields) => app.answer(kind, fields));
