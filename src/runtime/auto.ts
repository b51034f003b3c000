/**
 * The backend `auto`: the fastest of those that this machine has, by a small measurement on the model itself. All of them
 * give the same bits, so results do not depend on the choice (spec/30-execution.md §3). Loaded only where it is asked for.
 * @module
 */
import type { Backend } from '../backends/backend.ts';
import { hex } from '../core/digest.ts';
import { dimAt } from '../core/dim.ts';
import { HostError } from '../core/errors.ts';
import { allocate, elementCount, type Tensor } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import type { Inputs } from './inputs.ts';
import type { BackendName, createSession, Session, SessionOptions } from './session.ts';

/** What `auto` chooses from where the caller names none. */
const CANDIDATES: readonly BackendName[] = ['wasm', 'webgpu'];
/** Most threads where the caller does not say. */
const THREADS_MOST = 8;
/** Rounds in which every candidate runs once, and milliseconds after which no other begins. */
const ROUNDS = 5;
const PATIENCE = 500;
/** Choices that are remembered. */
const REMEMBERED = 256;
/** Value of a symbol in the measurement, or the nearest one in its range. */
const DIM = 64;

/** What was chosen: backends by speed, the rest for the case that the first one fails, and threads. */
type Choice = Required<Pick<SessionOptions, 'backend' | 'threads'>>;

interface Lane {
  readonly backend: BackendName | Backend;
  readonly threads: number;
  readonly session: Session;
  readonly digest: string;
  /** Shortest run so far, in milliseconds. */
  best: number;
}

const choices = new Map<string, Promise<Choice>>();
const numbers = new WeakMap<Backend, number>();
let next = 0;

/** A name of a backend that no other one has. */
function keyOf(backend: BackendName | Backend): string {
  if (typeof backend === 'string') return backend;
  if (!numbers.has(backend)) numbers.set(backend, next++);
  return `${backend.name}#${numbers.get(backend)}`;
}

/** Processors of this machine, as far as the engine says. */
function processors(): number {
  const { navigator, process } = globalThis as {
    navigator?: { hardwareConcurrency?: number };
    process?: NodeJS.Process;
  };
  return navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.('node:os').availableParallelism() ?? 1;
}

/** Every input at its zero point, or the nearest value of its interval. */
function still(model: Model): Inputs {
  const dims = model.symbols.map((s) => Math.min(Math.max(DIM, s.min), s.max));
  const states = new Set(model.states.map((s) => s.input));
  return Object.fromEntries(
    model.inputs.flatMap((d, i): [string, Tensor][] => {
      if (states.has(i)) return [];
      const shape = d.shape.map((e) => dimAt(e, dims));
      const value = Math.min(Math.max(d.zp, dimAt(d.lo, dims)), dimAt(d.hi, dims));
      const count = elementCount(shape);
      if (d.u8) return [[d.name, { dtype: 'u8', shape, data: new Uint8Array(count).fill(value + 128) }]];
      return [[d.name, { dtype: d.dtype, shape, data: allocate(d.dtype, count).fill(value) }]];
    }),
  );
}

/** A candidate that has run once; undefined where it takes fewer threads than it may. */
async function begin(
  model: Model,
  options: SessionOptions,
  lane: Pick<Lane, 'backend' | 'threads'>,
  create: typeof createSession,
): Promise<Lane | undefined> {
  const session = await create(model, { ...options, ...lane });
  try {
    const { digest } = await session.run(still(model));
    if ((session.explain().threads ?? 1) === lane.threads) return { ...lane, session, digest, best: Infinity };
  } catch (e) {
    session.dispose();
    throw e;
  }
  session.dispose();
  return undefined;
}

/** Runs the candidates by turns; those that are slower than twice the fastest run once. */
async function time(model: Model, lanes: readonly Lane[]): Promise<Lane[]> {
  const inputs = still(model);
  const start = performance.now();
  let alive = [...lanes];
  for (let round = 0; round < ROUNDS && alive.length > 1 && performance.now() - start < PATIENCE; round++) {
    for (const lane of alive) {
      const from = performance.now();
      await lane.session.run(inputs);
      lane.best = Math.min(lane.best, performance.now() - from);
    }
    const least = Math.min(...alive.map((l) => l.best));
    alive = alive.filter((l) => l.best <= 2 * least);
  }
  return [...lanes].sort((a, b) => a.best - b.best);
}

async function measure(
  model: Model,
  options: SessionOptions,
  wanted: readonly Pick<Lane, 'backend' | 'threads'>[],
  create: typeof createSession,
): Promise<Choice> {
  const lanes: Lane[] = [];
  let failure: unknown = new HostError('NoBackend', 'there is no backend to choose from');
  try {
    for (const w of wanted) {
      try {
        const lane = await begin(model, options, w, create);
        if (lane !== undefined) lanes.push(lane);
      } catch (e) {
        if (!(e instanceof HostError)) throw e;
        failure = e;
      }
    }
    if (lanes.length === 0) throw failure;
    const odd = lanes.find((l) => l.digest !== lanes[0]!.digest);
    if (odd !== undefined)
      throw new HostError(
        'SelfTest',
        `${lanes[0]!.session.backend} and ${odd.session.backend} disagree on this machine`,
      );
    const order = await time(model, lanes);
    const shared = order.find((l) => l.threads > 1)?.backend;
    return {
      backend: [...new Set(order.map((l) => l.backend))],
      threads: order.find((l) => l.backend === shared)?.threads ?? 1,
    };
  } finally {
    for (const l of lanes) l.session.dispose();
  }
}

/**
 * Backends by their speed on a model, and threads. Measured once for a model, a mode and candidates, as long as the program
 * runs; with symbols at dims of 64, as far as their ranges allow.
 * @throws HostError if none can run, or if two disagree
 */
export function choose(model: Model, options: SessionOptions, create: typeof createSession): Promise<Choice> {
  const { candidates = CANDIDATES, threads = Math.min(processors(), THREADS_MOST), mode } = options;
  const counts = threads > 1 ? [1, threads] : [1];
  if (!Array.isArray(candidates) || candidates.some((b) => (b as unknown) === 'auto'))
    throw new TypeError('candidates is a list of backends, and auto is none');
  if (candidates.length === 0) throw new TypeError('candidates is an empty list');
  const wanted = candidates.flatMap((backend) => counts.map((n) => ({ backend, threads: n })));
  const key = [hex(model.id), mode, threads, ...candidates.map(keyOf)].join(' ');
  let choice = choices.get(key);
  if (choice === undefined) {
    choice = measure(model, options, wanted, create);
    choices.set(key, choice);
    choice.catch(() => choices.delete(key));
    if (choices.size > REMEMBERED) choices.delete(choices.keys().next().value!);
  }
  return choice;
}
