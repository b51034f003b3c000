/**
 * The workers of this process: one pool for all sessions, begun with the first that has threads and ended with the last.
 * @module
 */
import { HostError } from '../../core/errors.ts';
import type { Kernels } from './module.ts';
import { ANNOUNCE, GO, LEAVE, ORDER, type Section, STATE, STOP, work } from './work.ts';
import { WORKER } from './worker.gen.ts';
import type { Setup } from './worker.ts';

/** Milliseconds that a run waits for the others to end a section, and that workers may take to start. */
const PATIENCE = 60_000;
const START = 20_000;

/** A worker of Node or of the web. */
interface Thread {
  postMessage(message: Setup | number): void;
  terminate(): unknown;
  ref?(): void;
  unref?(): void;
}

/** Starts a worker. */
function spawn(heard: (message: number) => void, died: () => void): Thread {
  const node = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:worker_threads');
  if (node !== undefined) {
    const worker = new node.Worker(WORKER, { eval: true, execArgv: [], name: 'samebit' });
    return worker.on('message', heard).on('error', died).on('exit', died);
  }
  const worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' })), { name: 'samebit' });
  worker.onmessage = (e: MessageEvent<number>) => heard(e.data);
  worker.onerror = died;
  return worker;
}

/** What the threads of an executable share, and the private areas of its workers. */
export interface Work extends Omit<Setup, 'id' | 'base'> {
  readonly bases: readonly number[];
}

class Pool {
  static current: Pool | undefined;
  readonly #threads: Thread[] = [];
  readonly #jobs: Map<number, Job> = new Map();
  #next = 0;
  /** True once a worker has died, or the last job has left: nothing runs on this pool any more. */
  ended = false;

  /** Gives a job to as many workers as it has private areas. Resolves when they are ready. */
  async add(job: Job, { bases, ...setup }: Work): Promise<void> {
    const id = (job.id = this.#next++);
    this.#jobs.set(id, job);
    const ready = job.expect(bases.length);
    while (this.#threads.length < bases.length) {
      const heard = (from: number): void => this.#jobs.get(from)?.heard();
      this.#threads.push(spawn(heard, () => this.end()));
    }
    bases.forEach((base, i) => this.#threads[i]!.postMessage({ ...setup, id, base }));
    await ready;
  }

  /** Sends a message to the first workers. */
  post(message: number, count: number = this.#threads.length): void {
    for (let i = 0; i < count; i++) this.#threads[i]!.postMessage(message);
    this.#rouse();
  }

  /** Lets workers keep a process of Node alive while something is awaited of them, and no longer. */
  hold(): void {
    const pending = [...this.#jobs.values()].some((j) => j.pending);
    for (const t of this.#threads) pending ? t.ref?.() : t.unref?.();
    if (pending) this.#rouse();
  }

  /** Makes workers that linger behind a run read their messages. */
  #rouse(): void {
    for (const j of this.#jobs.values()) Atomics.notify(j.control, STATE);
  }

  /** Forgets a job. The pool ends with the last. */
  leave(id: number): void {
    this.#jobs.delete(id);
    if (this.#jobs.size === 0) this.end();
    else if (!this.ended) this.post(~id);
  }

  /** Ends all workers; a run of a job that has not left fails. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (Pool.current === this) Pool.current = undefined;
    for (const job of this.#jobs.values()) job.fail();
    for (const t of this.#threads) t.terminate();
  }
}

/** An executable on the pool. */
export class Job {
  id = -1;
  readonly control: Int32Array;
  readonly #sections: readonly Section[];
  readonly #workers: number;
  readonly #pool: Pool = (Pool.current ??= new Pool());
  /** Messages that are missing until all workers are ready. */
  #missing = 0;
  #settle: ((failed: boolean) => void) | undefined;

  private constructor({ memory, sections, bases }: Work) {
    this.control = new Int32Array(memory.buffer, 0, 16);
    this.#sections = sections;
    this.#workers = bases.length;
  }

  /**
   * A job that all its workers are ready for.
   * @throws HostError `LostWorker` if a worker does not start
   */
  static async of(parts: Work): Promise<Job> {
    const job = new Job(parts);
    const late = setTimeout(() => job.#pool.end(), START);
    try {
      await job.#pool.add(job, parts);
    } catch (e) {
      job.leave();
      throw e instanceof HostError ? e : job.#error();
    } finally {
      clearTimeout(late);
    }
    return job;
  }

  /** True once its workers have ended. */
  get lost(): boolean {
    return this.#pool.ended;
  }

  /** True while a promise waits for the workers. */
  get pending(): boolean {
    return this.#settle !== undefined;
  }

  /** Resolves when the workers are ready, `messages` times, or have ended a run. */
  expect(messages: number): Promise<void> {
    this.#missing = messages;
    const settled = new Promise<void>((done, fail) => {
      this.#settle = (failed) => {
        this.#settle = undefined;
        failed ? fail(this.#error()) : done();
        this.#pool.hold();
      };
    });
    this.#pool.hold();
    return settled;
  }

  /** A worker is ready, or says that it has ended a run, perhaps an earlier one. */
  heard(): void {
    if (this.#missing > 0 ? --this.#missing === 0 : Atomics.load(this.control, STATE) >>> 16 === this.#sections.length)
      this.#settle?.(false);
  }

  /** Runs all sections on the workers. */
  async run(signal: AbortSignal | undefined): Promise<void> {
    this.#begin(1, this.#workers);
    const stop = (): void => void Atomics.compareExchange(this.control, ORDER, GO, STOP);
    signal?.addEventListener('abort', stop);
    let seen = 0;
    const watch = setInterval(() => {
      const state = Atomics.load(this.control, STATE);
      if (state === seen) this.#pool.end();
      seen = state;
    }, PATIENCE);
    try {
      await this.expect(0);
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Runs all sections on the calling thread and all workers but one. */
  runSync(kernels: Kernels): void {
    this.#begin(0, this.#workers - 1);
    try {
      work(kernels, this.control, this.#sections, PATIENCE);
    } catch {
      this.#pool.end();
    }
    if (this.lost) throw this.#error();
  }

  /** Ends a run that waits. */
  fail(): void {
    Atomics.store(this.control, ORDER, LEAVE);
    Atomics.notify(this.control, STATE);
    this.#settle?.(true);
  }

  /** Leaves the pool. */
  leave(): void {
    this.#pool.leave(this.id);
  }

  /** Sets the first section up and wakes workers: those that linger behind the last run, or else by a message. */
  #begin(announce: number, workers: number): void {
    if (this.lost) throw this.#error();
    const { control } = this;
    Atomics.store(control, ORDER, GO);
    Atomics.store(control, ANNOUNCE, announce);
    Atomics.store(control, STATE, 0);
    if (Atomics.notify(control, STATE, workers) < workers) this.#pool.post(this.id, workers);
  }

  #error(): HostError {
    return new HostError('LostWorker', 'a worker thread has died or does not answer');
  }
}
