/**
 * The wasm backend on several threads: one shared memory, an instance of the module a thread, sections of layers that all
 * threads take chunks of (spec/30-execution.md §3). Loaded only where a session asks for threads.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { TypedArray } from '../../core/tensor.ts';
import type { Plan } from '../../runtime/plan.ts';
import type { Mode } from '../backend.ts';
import type { Call, Prepared } from './call.ts';
import { build, codeFor, copyOf, layOut, own, type Ready, WasmExecutable } from './index.ts';
import { pricesOf } from './stepper.ts';
import { CHUNKS_MOST, SECTIONS_MOST, type Section } from './work.ts';
import { Job } from './workers.ts';

/** Least quarter-gas of a chunk: some 10 µs, ten times what it costs to share it. */
const GRAIN = 1_000_000;

/**
 * Units in chunks of falling size: each is a fair share of half of what is left, but no less than `least`. So threads that begin late
 * or are slow still end together.
 */
function cutsOf(units: number, least: number, threads: number): number[] {
  const cuts = [0];
  for (let at = 0; at < units; cuts.push(at | 0)) {
    const share = floorDiv(units - at + 2 * threads - 1, 2 * threads);
    at = cuts.length === CHUNKS_MOST ? units : Math.min(units, at + Math.max(least, share));
  }
  return cuts;
}

/** The calls of a plan as sections: layers of enough cost in chunks, runs of smaller ones whole. */
export function sectionsOf(
  prices: readonly bigint[],
  nodes: readonly Prepared[],
  threads: number,
  grain: number,
): Section[] {
  const sections: { calls: Call[]; cuts: number[]; price: number }[] = [];
  nodes.forEach(({ calls }, i) => {
    for (const c of calls) {
      const price = floorDiv(Number(prices[i]!), calls.length);
      const cuts = price < 2 * grain ? [0, 1] : cutsOf(c.units, floorDiv(grain * c.units + price - 1, price), threads);
      const last = sections[sections.length - 1];
      if (cuts.length === 2 && last?.cuts.length === 2 && last.price < 4 * grain) {
        last.calls.push(c);
        last.price += price;
      } else sections.push({ calls: [c], cuts, price });
    }
  });
  return sections;
}

/** True where the calling thread may sleep: not on the main thread of a page. */
function maySleep(control: Int32Array): boolean {
  try {
    Atomics.wait(control, 0, ~Atomics.load(control, 0), 0);
    return true;
  } catch {
    return false;
  }
}

class ThreadedExecutable extends WasmExecutable {
  readonly threads: number;
  readonly #job: Job;
  readonly #sleeps: boolean;
  #run: Promise<unknown> = Promise.resolve();

  constructor(plan: Plan, mode: Mode, ready: Ready, job: Job, threads: number) {
    super(plan, mode, own(ready));
    this.#job = job;
    this.#sleeps = maySleep(job.control);
    this.threads = threads;
  }

  override async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    const { outputs } = this.load(inputs);
    signal?.throwIfAborted();
    const run = this.#job.run(signal);
    this.#run = run.catch(() => undefined);
    await run;
    signal?.throwIfAborted();
    return outputs.map(copyOf);
  }

  get lost(): boolean {
    return this.#job.lost;
  }

  protected override compute(ready: Ready): void {
    if (this.#sleeps) this.#job.runSync(ready.kernels);
    else super.compute(ready);
  }

  override dispose(): void {
    super.dispose();
    this.#run.then(() => this.#job.leave());
  }
}

/**
 * An executable on `threads` threads; undefined where this machine shares no memory, has no workers to give, or the plan has no
 * layer that is worth sharing.
 * @param grain least quarter-gas of a chunk
 */
export async function prepareThreaded(
  plan: Plan,
  mode: Mode,
  threads: number,
  grain: number = GRAIN,
): Promise<WasmExecutable | undefined> {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (typeof SharedArrayBuffer === 'undefined' || isolated === false) return undefined;
  const code = await codeFor(plan, true).catch(() => undefined); // no memory to share: one thread does
  if (code === undefined) return undefined;
  const layout = layOut(plan, mode, code);
  const sections = sectionsOf(pricesOf(plan), layout.nodes, threads, grain);
  if (sections.length > SECTIONS_MOST || sections.every((s) => s.cuts.length === 2)) return undefined;
  let ready: Ready;
  try {
    ready = build(plan, layout, code, threads);
  } catch {
    return undefined; // one memory less large may still fit
  }
  const [, ...bases] = ready.bases;
  const job = await Job.of({ modules: code.modules, memory: ready.memory, sections, bases }).catch(() => undefined);
  return job && new ThreadedExecutable(plan, mode, ready, job, threads);
}
