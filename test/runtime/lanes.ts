/** Lanes of sliced runs: backends in this process, and in others. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { decodeSnapshot, encodeSnapshot } from '../../src/consensus/snapshot.ts';
import type { Model } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { type BackendName, createSession, type Session } from '../../src/runtime/session.ts';
import { randomDims, randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';

/** What a lane is asked: slices of a run from a snapshot on; inputs follow from the seed. */
export interface Ask {
  readonly model: string;
  readonly seed: number;
  readonly backend: BackendName;
  readonly from?: string;
  /** Cost of each slice in quarters of gas, decimal. */
  readonly budgets: readonly string[];
}

/** How far it came: a snapshot as bytes, or the digest of the finished run. */
export type Told = { readonly snapshot: string } | { readonly digest: string };

/** Advances runs. */
export type Lane = (ask: Ask) => Promise<Told>;

/** Inputs of a model by a seed. */
export function inputsOf(model: Model, seed: number): ReturnType<typeof randomInputs> {
  const r = new Prng(seed);
  return randomInputs(model, r, randomDims(model, r));
}

const sessions = new Map<string, Promise<Session>>();

/** The lane of this process. */
export async function here({ model, seed, backend, from, budgets }: Ask): Promise<Told> {
  const key = `${backend}/${model}`;
  let made = sessions.get(key);
  if (made === undefined)
    sessions.set(key, (made = createSession(loadModel(Buffer.from(model, 'base64')), { backend })));
  const session = await made;
  const options = from === undefined ? {} : { from: decodeSnapshot(Buffer.from(from, 'base64')) };
  const run = await session.begin(inputsOf(session.model, seed), options);
  for (const cost of budgets) if (run.step(BigInt(cost))) return { digest: run.finish().digest };
  return { snapshot: Buffer.from(encodeSnapshot(run.snapshot())).toString('base64') };
}

/** A lane in a process of its own. */
export function elsewhere(): { readonly lane: Lane; readonly end: () => void } {
  const child: ChildProcess = fork(join(import.meta.dirname, 'slices-child.ts'), { execArgv: ['--import', 'tsx'] });
  const lane: Lane = (ask) =>
    new Promise((resolve, reject) => {
      child.once('message', (told: Told | { readonly error: string }) => {
        if ('error' in told) reject(new Error(told.error));
        else resolve(told);
      });
      child.send(ask);
    });
  return { lane, end: () => child.kill() };
}

/**
 * Runs a model in slices of random budgets, each stretch on a random lane, with its snapshot as bytes between them.
 * @returns the digest, and how often the run moved
 */
export async function slicedRun(
  model: Model,
  bytes: string,
  seed: number,
  lanes: readonly Lane[],
): Promise<{ readonly digest: string; readonly moves: number }> {
  const r = new Prng(seed * 7919 + 1);
  const most = Math.log2(4000 * (1 + model.nodes.length));
  let from: string | undefined;
  for (let moves = 0; ; moves++) {
    const budgets = Array.from({ length: 1 + r.below(3) }, () =>
      String(Math.floor(2 ** (r.below(1000 * most) / 1000)) - 1),
    );
    const backend = r.once(2) ? 'wasm' : 'reference';
    const told = await r.pick(lanes)({ model: bytes, seed, backend, budgets, ...(from === undefined ? {} : { from }) });
    if ('digest' in told) return { digest: told.digest, moves };
    from = told.snapshot;
  }
}
