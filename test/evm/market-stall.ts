/** A market to test on: deployed contracts, parties, a model on offer, and runs of it with lies about them. */
import { SimpleStateManager } from '@ethereumjs/statemanager';
import type { Deployed, Party } from '../../examples/chain.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { encodeHeader, type Header, headerHash, headerOf } from '../../src/consensus/header.ts';
import { type Trace, traceBytes, traceRun } from '../../src/consensus/trace.ts';
import * as artifacts from '../../src/evm/artifacts.gen.ts';
import { createPrecompile } from '../../src/evm/precompile.ts';
import { type Hex, toHex } from '../../src/evm/proof.ts';
import type { Model } from '../../src/graph/ir.ts';
import { Evaluation, rowValue } from '../../src/market/accuracy.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import * as attackers from './artifacts.gen.ts';
import { BOND, type Court, DELAY, MOVE, openCourt, WINDOW } from './game.ts';
import { Liar } from './liar.ts';

/** Where the precompile is. */
export const PRECOMPILE = '0x0000000000000000000000000000000000005a17';
/** What a worker leaves for his turn, and its seconds. */
export const DEPOSIT: bigint = 10n ** 16n;
export const TURN: bigint = 1_800n;
/** What a question about a score costs, and the seconds in which one may be refuted. */
export const FEE: bigint = BOND / 50n;
export const PERIOD: bigint = 3n * WINDOW;
/** A salt, and a content root. */
export const SALT: Hex = `0x${'5a'.repeat(32)}`;
const CONTENT: Hex = `0x${'c0'.repeat(32)}`;
/** Seconds that a commitment has to be old. */
export const AGE = 600n;

/** Parties by name. Capitals: those who keep to the rules. */
export const NAMES = [
  'Author',
  'Buyer',
  'Worker',
  'Watcher',
  'buyer',
  'cheat',
  'idler',
  'griefer',
  'stranger',
] as const;
export type Name = (typeof NAMES)[number];

/** A run: its honest trace, what its outputs are, and lies about it. */
export interface Run {
  readonly input: Hex;
  readonly honest: Trace;
  readonly outputs: readonly Hex[];
  readonly lies: readonly Trace[];
}

/** The deployed market. */
export interface Stall extends Court {
  readonly market: Deployed;
  readonly jobs: Deployed;
  readonly accuracy: Deployed;
  /** A party that calls back when it is paid. */
  readonly reenter: Deployed;
  readonly parties: Readonly<Record<Name, Party>>;
  readonly validators: readonly Party[];
  readonly runs: readonly Run[];
  /** What the model scores on the runs. */
  readonly evaluation: Evaluation;
  readonly header: Header;
  readonly key: Hex;
}

/** Labels of the runs, as rows of a data set. */
const LABELS = [1n, 0n, 1n];

/** The evaluation of the runs, or a false one: row `wrong` adds what it does not. */
export function evaluationOf(runs: readonly Run[], wrong?: number): Evaluation {
  const rows = runs.map((r, i) => ({ inputRoot: r.honest.inputRoot, label: LABELS[i]! }));
  const values = runs.map(({ honest }, i) => {
    const value = rowValue('top1', honest.tensor(honest.length - 1).data, LABELS[i]!);
    return i === wrong ? 1n - value : value;
  });
  return new Evaluation(rows, values);
}

/** What a score is claimed with. */
export function scoreArgs(key: Hex, e: Evaluation, root: Hex = e.scoresRoot): readonly unknown[] {
  return [key, e.dataRoot, root, 0, 1, BigInt(e.rows.length), e.score, e.path, 'http://localhost/data'];
}

/** Canonical bytes of a tensor of a trace. */
export function bytesOf(trace: Trace, index: number): Hex {
  return toHex(traceBytes(trace.tensor(index)));
}

/** Deploys a market with one model that is registered and mature, listed and held; runs of it. */
export async function openMarket(model: Model): Promise<Stall> {
  const commitment = commit(model, 'keccak256');
  const header = headerOf(commitment);
  const key = toHex(headerHash(header));
  const session = await createSession(model, { mode: 'trace' });
  const store = {
    header: (h: Uint8Array) => (toHex(h) === key ? encodeHeader(header) : undefined),
    session: () => session,
  };
  const precompile = { address: PRECOMPILE, function: createPrecompile({ store }) };
  const court = await openCourt([precompile], new SimpleStateManager()); // many times faster, but for the gas of storage
  const { chain, registry, dispute } = court;
  const validators = await Promise.all([1, 2, 3].map((i) => chain.party(`validator ${i}`)));
  const deployer = await chain.party('market deployer');
  const market = await chain.deploy(deployer, artifacts.Market, [
    registry.address,
    PRECOMPILE,
    validators.map((v) => v.address.toString()),
    2n,
  ]);
  const jobs = await chain.deploy(deployer, artifacts.Jobs, [dispute.address, DEPOSIT, TURN]);
  const accuracy = await chain.deploy(deployer, artifacts.Accuracy, [dispute.address, BOND, FEE, PERIOD, MOVE]);
  const reenter = await chain.deploy(deployer, attackers.Reenter);
  const parties = {} as Record<Name, Party>;
  for (const name of NAMES) parties[name] = await chain.party(name);
  const runs: Run[] = [];
  for (let i = 0; i < 3; i++) {
    const inputs = randomInputs(model, new Prng(100 + i), []);
    const { trace: honest } = await traceRun(commitment, session, inputs);
    const last = honest.length - 1;
    const t = honest.tensor(last);
    // The greatest element moves: the lie changes what the row adds to a score.
    const data = t.data.map((v) => -v) as typeof t.data;
    const wrong = new Liar(honest, new Map([[last, { shape: t.shape, data }]]));
    runs.push({
      input: bytesOf(honest, 0),
      honest,
      outputs: model.outputs.map((_, j) => bytesOf(honest, commitment.traceIndex.get(model.outputs[j]!.tensor)!)),
      lies: [wrong],
    });
  }
  await registry.send(parties.Author, 'register', [toHex(encodeHeader(header))], BOND);
  const commitmentOf = (await market.call('commitmentOf', [parties.Author.address.toString(), key, SALT])).value;
  await market.send(parties.Author, 'commit', [commitmentOf]);
  chain.advance(DELAY);
  const evaluation = evaluationOf(runs);
  const stall = { ...court, market, jobs, accuracy, reenter, parties, validators, runs, evaluation, header, key };
  const listed = await market.send(parties.Author, 'list', [key, SALT, 1000n, CONTENT, 7n, 'demo', 'http://localhost']);
  if (listed.error !== undefined) throw new Error(listed.error);
  for (const v of validators.slice(0, 2)) await market.send(v, 'hold', [key]);
  return stall;
}
