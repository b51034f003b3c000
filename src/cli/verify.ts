/**
 * `samebit verify`: random and boundary inputs on several backends, compared bit by bit.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Command } from 'commander';
import { hex } from '../core/digest.ts';
import { printable } from '../core/errors.ts';
import type { Model } from '../graph/ir.ts';
import type { RunResult } from '../runtime/result.ts';
import type { Session } from '../runtime/session.ts';
import { coloursOf } from './colours.ts';
import { EXIT_DATA, UsageError } from './errors.ts';
import { readModel } from './files.ts';
import { backends, EVERYWHERE, laneOf, sessionOn, showBackend, whole } from './options.ts';
import { print, startProgress, table } from './output.ts';
import { Random, randomDims, randomInputs } from './random.ts';
import { toJson } from './text.ts';

interface Flags {
  readonly backends: readonly string[];
  readonly runs: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** The first element that differs. */
export interface Difference {
  readonly run: number;
  readonly backends: readonly [string, string];
  readonly output: string;
  readonly element: number;
  readonly values: readonly [number, number];
}

interface Lane {
  readonly name: string;
  readonly session: Session;
  readonly hash: ReturnType<typeof sha256.create>;
  readonly times: number[];
}

/** The first element where two results differ. */
function difference(
  model: Model,
  run: number,
  lanes: readonly Lane[],
  results: readonly RunResult[],
): Difference | undefined {
  const other = results.findIndex((r) => r.digest !== results[0]!.digest);
  if (other < 0) return undefined;
  for (const { name } of model.outputs) {
    const [a, b] = [results[0]!.outputs[name]!.data, results[other]!.outputs[name]!.data];
    const element = a.findIndex((v, i) => v !== b[i]);
    if (element >= 0)
      return {
        run,
        backends: [lanes[0]!.name, lanes[other]!.name],
        output: name,
        element,
        values: [a[element]!, b[element]!],
      };
  }
  return {
    run,
    backends: [lanes[0]!.name, lanes[other]!.name],
    output: '',
    element: -1,
    values: [0, 0],
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** What `verifyModel` finds. */
export interface Verification {
  /** A backend as asked for, the threads it took, its digest over all run digests, and the median of its run times in milliseconds. */
  readonly backends: readonly {
    readonly name: string;
    readonly ran: string;
    readonly threads: number;
    readonly digest: string;
    readonly ms: number;
  }[];
  readonly firstDifference?: Difference | undefined;
}

async function compare(
  model: Model,
  flags: Pick<Flags, 'runs' | 'seed'>,
  lanes: readonly Lane[],
): Promise<Difference | undefined> {
  const random = new Random(flags.seed);
  const progress = startProgress('verifying');
  let first: Difference | undefined;
  try {
    for (let run = 0; run < flags.runs; run++) {
      const inputs = randomInputs(model, random, randomDims(model, random));
      const results: RunResult[] = [];
      for (const { session, hash, times } of lanes) {
        const start = performance.now();
        const result = await session.run(inputs);
        times.push(performance.now() - start);
        hash.update(Uint8Array.from(result.digest.match(/../g)!, (b) => Number.parseInt(b, 16)));
        results.push(result);
      }
      first ??= difference(model, run, lanes, results);
      progress.update(run + 1, flags.runs);
    }
  } finally {
    progress.stop();
  }
  return first;
}

/** Runs random and boundary inputs of `seed` on every backend and compares all bits. */
export async function verifyModel(
  model: Model,
  flags: Pick<Flags, 'backends' | 'runs' | 'seed'>,
): Promise<Verification> {
  const lanes = await Promise.all(
    flags.backends.map(
      async (backend): Promise<Lane> => ({
        name: backend,
        session: await sessionOn(model, backend),
        hash: sha256.create(),
        times: [],
      }),
    ),
  );
  const firstDifference = await compare(model, flags, lanes);
  const rows = lanes.map(({ name, session, hash, times }) => ({
    name,
    ran: laneOf(session),
    threads: session.explain().threads,
    digest: hex(hash.digest()),
    ms: Math.round(median(times) * 1000) / 1000,
  }));
  for (const { session } of lanes) session.dispose();
  return { backends: rows, firstDifference };
}

async function verify(path: string, flags: Flags): Promise<void> {
  if (flags.backends.length < 2) {
    throw new UsageError(
      'OneBackend',
      'one backend has nothing to be compared with',
      'Name at least two with --backends.',
    );
  }
  const model = readModel(path);
  const { backends: rows, firstDifference } = await verifyModel(model, flags);
  const identical = firstDifference === undefined;
  if (!identical) process.exitCode = EXIT_DATA;
  if (flags.json) {
    print(
      toJson({
        identical,
        runs: flags.runs,
        seed: flags.seed,
        id: hex(model.id),
        backends: rows,
        ...(identical ? {} : { firstDifference }),
      }),
    );
    return;
  }
  print(
    table(
      ['backend', 'digest of all runs', 'ms a run'],
      rows.map((r) => [showBackend(r.name, r.ran), r.digest, r.ms.toFixed(3)]),
      [2],
    ),
  );
  const c = coloursOf(process.stdout);
  print(
    identical
      ? `  ${c.green('identical:')} ${flags.runs} runs, seed ${flags.seed}`
      : `  ${c.red('DIFFERENT')}, first in run ${firstDifference.run}: ${showDifference(firstDifference)}`,
  );
}

function showDifference(d: Difference): string {
  return `${printable(d.output)}[${d.element}] is ${d.values[0]} on ${d.backends[0]} and ${d.values[1]} on ${d.backends[1]}`;
}

/** Adds the command. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('run random and boundary inputs on several backends and compare every bit; exit 1 if they differ')
    .argument('<MODEL.sbm>', 'the model')
    .option('--backends <names>', 'backends with commas between them; wasm:N takes N threads', backends, [
      ...EVERYWHERE,
    ])
    .option('--runs <N>', 'number of runs', whole(1, 1_000_000_000), 100)
    .option('--seed <S>', 'seed of the inputs', whole(0, 2 ** 32 - 1), 1)
    .option('--json', 'print one JSON object; ms is the median of a run, digest the SHA-256 over all run digests')
    .action(verify);
}
