/**
 * The conformance suite: models with inputs and the run digests that they must give (spec/20-format.md §6). It needs no
 * module of an engine: a page, a worker or another runtime runs it as Node does.
 * @module
 */
import type { Backend } from '../backends/backend.ts';
import { digestOf, hex } from '../core/digest.ts';
import { HostError } from '../core/errors.ts';
import { fromBytes, type Tensor } from '../core/tensor.ts';
import { loadModel } from '../runtime/load.ts';
import { type BackendName, createSession, type Session } from '../runtime/session.ts';
import { CASES } from './cases.gen.ts';

/** An input of a run: dtype, shape, canonical bytes in base64. */
export type ConformanceInput = readonly [dtype: Tensor['dtype'], shape: readonly number[], bytes: string];

/** A model file in base64 and its runs in order, as states demand; inputs by name. */
export interface ConformanceCase {
  readonly name: string;
  readonly sbm: string;
  readonly runs: readonly {
    readonly inputs: Readonly<Record<string, ConformanceInput>>;
    readonly digest: string;
  }[];
}

/** A run whose digest is another one. `actual` is the error where the backend threw one that is no `HostError`. */
export interface ConformanceDifference {
  readonly name: string;
  readonly run: number;
  readonly expected: string;
  readonly actual: string;
}

/** What a backend did: the number of runs compared, the SHA-256 over all their digests, and what differs. */
export interface ConformanceReport {
  readonly checks: number;
  readonly digest: string;
  readonly differences: readonly ConformanceDifference[];
}

/**
 * Options of the suite. `cases` replaces those that come with it; `threads`: most that a run may take, default 1;
 * `progress` is called before each case.
 */
export interface ConformanceOptions {
  readonly cases?: readonly ConformanceCase[];
  readonly threads?: number;
  /** Called before each case. */
  readonly progress?: (done: number, of: number, name: string) => void;
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function tensorOf([dtype, shape, base64]: ConformanceInput): Tensor {
  const bytes = bytesOf(base64);
  return { dtype, shape, data: dtype === 'u8' ? bytes : fromBytes(dtype, bytes) };
}

/** Digests of the runs of a case; from an error on, that instead. @throws HostError that names the case */
async function digestsOf(c: ConformanceCase, backend: Backend | BackendName, threads: number): Promise<string[]> {
  const digests: string[] = [];
  let session: Session | undefined;
  try {
    session = await createSession(loadModel(bytesOf(c.sbm)), { backend, threads });
    for (const { inputs } of c.runs) {
      const tensors = Object.entries(inputs).map(([name, t]) => [name, tensorOf(t)] as const);
      digests.push((await session.run(Object.fromEntries(tensors))).digest);
    }
  } catch (e) {
    if (e instanceof HostError) throw new HostError(e.code as 'DeviceFailed', `${c.name}: ${e.message}`, e.details);
    while (digests.length < c.runs.length) digests.push(String(e));
  } finally {
    session?.dispose();
  }
  return digests;
}

/** The cases that come with the suite, for runners in other languages. */
export function conformanceCases(): readonly ConformanceCase[] {
  return JSON.parse(CASES) as readonly ConformanceCase[];
}

/**
 * Runs the suite on a backend.
 * @throws HostError that names the case if the backend fails: a machine that cannot run is no difference
 */
export async function runConformance(
  backend: Backend | BackendName,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const cases = options.cases ?? conformanceCases();
  const differences: ConformanceDifference[] = [];
  const all: number[] = [];
  let checks = 0;
  for (const [i, c] of cases.entries()) {
    options.progress?.(i, cases.length, c.name);
    const digests = await digestsOf(c, backend, options.threads ?? 1);
    c.runs.forEach(({ digest: expected }, run) => {
      const actual = digests[run]!;
      checks++;
      for (let k = 0; k < 64; k += 2) all.push(Number.parseInt(actual.slice(k, k + 2), 16));
      if (actual !== expected) differences.push({ name: c.name, run, expected, actual });
    });
  }
  return { checks, digest: hex(digestOf(Uint8Array.from(all))), differences };
}
