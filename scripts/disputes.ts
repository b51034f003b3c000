/**
 * Disputes at length (spec/40-consensus.md §6): lies over ops and positions of three models, each played to its end by both bots
 * on an EVM, and bad challenges of honest claims. Writes a table; exit 1 where a liar or a bad challenger wins.
 * `npm run disputes -- [--lies N] [--seed S] [--models golden,mnist-cnn,mobilenet-v2,shakespeare-charlm] [--cache DIR] [--out FILE]`
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commit } from '../src/consensus/commitment.ts';
import { headerOf } from '../src/consensus/header.ts';
import { type Trace, traceRun } from '../src/consensus/trace.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { Model } from '../src/graph/ir.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { BAD, type Refused, refuse } from '../test/evm/challenges.ts';
import { type Court, type Outcome, openCourt, publish } from '../test/evm/game.ts';
import { element, LIES, playLie, smart, type Truth } from '../test/evm/lies.ts';
import { randomDims, randomInputs } from '../test/support/differential.ts';
import { fileOf, MODELS } from '../test/support/golden-models.ts';
import { Prng } from '../test/support/prng.ts';

const { values } = parseArgs({
  options: {
    lies: { type: 'string', default: '240' },
    seed: { type: 'string', default: '1' },
    models: { type: 'string', default: 'golden,mnist-cnn,mobilenet-v2,shakespeare-charlm' },
    cache: { type: 'string', default: join(tmpdir(), 'samebit-disputes') },
    out: { type: 'string' },
  },
});

/** The bytes of a model, made once and kept in the cache. */
async function bytesOf(name: string): Promise<Uint8Array> {
  if (name === 'mnist-cnn') return readFileSync(join(import.meta.dirname, '../test/golden/models/mnist-cnn.sbm'));
  const file = join(values.cache, `${name}.sbm`);
  if (existsSync(file)) return readFileSync(file);
  mkdirSync(values.cache, { recursive: true });
  if (name === 'mobilenet-v2') {
    const { graphOf } = await import('../bench/prepare.ts');
    const { mobileNetV2 } = await import('../bench/networks.ts');
    writeFileSync(file, encodeModel(graphOf({ shape: [1, 224, 224, 3], network: mobileNetV2 })));
    return readFileSync(file);
  }
  const folder = join(process.env['SAMEBIT_SHARED'] ?? '', 'models', name);
  const cli = join(import.meta.dirname, '../src/cli/main.ts');
  const args = ['convert', join(folder, 'model.onnx'), '--calib', join(folder, 'calib.npy'), '-o', file];
  execFileSync(process.execPath, ['--import', 'tsx', cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  return readFileSync(file);
}

interface Played {
  readonly model: string;
  readonly kind: string;
  readonly op: string;
  readonly outcome: Outcome;
}

/** A run of a model on random inputs. */
async function truthOf(model: Model, random: Prng): Promise<Truth> {
  const inputs = randomInputs(model, random, randomDims(model, random));
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  const { trace } = await traceRun(commit(model), session, inputs);
  session.dispose();
  return { trace, inputs, random };
}

async function disputes(name: string, count: number, seed: number): Promise<Played[]> {
  const court = await openCourt();
  const model = loadModel(new Uint8Array(await bytesOf(name)));
  const truth = await truthOf(model, new Prng(seed));
  const { trace } = truth;
  const { commitment } = trace;
  await publish(court, commitment);
  const { nodes, traceLength } = headerOf(commitment);
  console.error(`${name}: ${nodes} nodes, ${traceLength} tensors`);
  const played: Played[] = [];
  for (let i = 0; played.length < count; i++) {
    const lie = await LIES[i % LIES.length]!(truth);
    if (lie === undefined) continue;
    const outcome = await playLie(court, lie, trace);
    played.push({ model: name, kind: lie.kind, op: lie.op, outcome });
    const line = `${name} ${played.length}: ${lie.kind} ${lie.op} ${lie.where}`;
    const { winner, by, asserterGas, challengerGas, last } = outcome;
    console.error(`${line}: ${winner} by ${by}, ${asserterGas} and ${challengerGas} gas, last ${last}`);
  }
  if (name === 'mnist-cnn') await challenges(court, trace);
  return played;
}

/**
 * One lie in every step of every golden model: every op, shapes with symbols. In recurrent ops one more, from which all that
 * follows is computed.
 */
async function goldenDisputes(seed: number): Promise<Played[]> {
  const court = await openCourt();
  const played: Played[] = [];
  for (const [i, golden] of MODELS.entries()) {
    const random = new Prng(seed + i);
    const truth = await truthOf(loadModel(fileOf(golden)), random);
    const { trace } = truth;
    const { commitment } = trace;
    await publish(court, commitment);
    for (let index = commitment.model.inputs.length; index < trace.length; index++) {
      if (trace.tensor(index).data.length === 0) continue;
      const { op } = commitment.model.nodes[commitment.trace[index]!.node]!;
      for (const make of op === 'lstm' || op === 'gru' ? [element, smart] : [element]) {
        const lie = make(truth, index);
        const outcome = await playLie(court, lie, trace);
        played.push({ model: 'golden models', kind: lie.kind, op: lie.op, outcome });
        if (outcome.winner !== 'challenger') console.error(`${golden.name}, ${lie.op} ${lie.where}: ${outcome.by}`);
      }
    }
  }
  return played;
}

/** Bad challenges of an honest claim, each in a game of its own. */
async function challenges(court: Court, trace: Trace): Promise<void> {
  const third = await court.chain.party('third');
  for (const bad of BAD) {
    const [{ winner, error }] = (await refuse(court, trace, third, [bad])) as [Refused];
    console.error(`challenge: ${bad.kind}: ${error}, ${winner} wins`);
    refused.push({ kind: bad.kind, error, winner });
  }
}

function thousands(n: bigint): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The largest of some figures. */
function most(of: readonly Played[], figure: (o: Outcome) => bigint): string {
  return thousands(of.reduce((m, { outcome }) => (figure(outcome) > m ? figure(outcome) : m), 0n));
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** One row for each value of a key. */
function table(title: string, all: readonly Played[], keyOf: (p: Played) => string): string[] {
  const keys = [...new Set(all.map(keyOf))].filter((k) => k !== '');
  return [
    row([title, 'lies', 'settled against the liar', 'most moves', 'asserter', 'challenger', 'final proof']),
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...keys.map((k) => {
      const of = all.filter((p) => keyOf(p) === k);
      return row([
        k,
        of.length,
        of.filter((p) => p.outcome.winner === 'challenger').length,
        Math.max(...of.map((p) => p.outcome.moves)),
        most(of, (o) => o.asserterGas),
        most(of, (o) => o.challengerGas),
        most(of, (o) => o.last),
      ]);
    }),
  ];
}

const models = values.models.split(',');
const refused: Refused[] = [];
const all: Played[] = [];
for (const [i, name] of models.entries()) {
  if (name === 'golden') {
    all.push(...(await goldenDisputes(Number(values.seed))));
    continue;
  }
  const share = Math.ceil(Number(values.lies) / models.filter((m) => m !== 'golden').length);
  all.push(...(await disputes(name, share, Number(values.seed) * 1000 + i)));
}
const lines = [
  `Written by \`npm run disputes -- --lies ${values.lies} --seed ${values.seed}\`. Gas is the most of any game, with that of the transactions.`,
  '',
  ...table('model', all, (p) => p.model),
  '',
  ...table('kind of lie', all, (p) => p.kind),
  '',
  ...table('op of the lie', all, (p) => p.op),
  '',
  `Bad challenges of an honest claim: ${refused.length} kinds, of which ${refused.filter((r) => r.winner === 'asserter').length} lost.`,
];
if (values.out !== undefined) writeFileSync(values.out, `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
const lost = all.filter((p) => p.outcome.winner !== 'challenger');
if (lost.length > 0 || refused.some((r) => r.winner !== 'asserter')) process.exitCode = 1;
