/**
 * Workers and the queue before them. Requests to one model are gathered, up to `batch` for a worker at a time; each is run on its
 * own, so what it gives does not depend on its neighbours. A worker that dies is replaced: the run it was at is tried once more,
 * those behind it go back to the head of the queue.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { ServeError, WorkerFault } from './faults.ts';
import type { Answer, FromWorker, Job, Task, ToWorker, WorkerStart } from './messages.ts';

/** A model's file, shared by all threads. */
export interface ModelFile {
  readonly id: string;
  readonly file: Uint8Array;
}

/** How a pool works. */
export interface PoolOptions {
  readonly workers: number;
  /** Requests that wait, at most. */
  readonly queue: number;
  /** Requests that a worker gets at once, at most. */
  readonly batch: number;
  /** Models that a worker keeps ready, at most. */
  readonly loaded: number;
  /** Milliseconds from asking to answering, at most. */
  readonly timeout: number;
  readonly start: WorkerStart;
  /** Told of what went wrong inside. */
  readonly onTrouble: (message: string, detail?: unknown) => void;
  readonly onBatch?: (size: number) => void;
}

interface Pending extends Job {
  readonly source: ModelFile;
  readonly resolve: (a: Answer) => void;
  readonly reject: (e: unknown) => void;
  timer: NodeJS.Timeout | undefined;
  /** Lets go of the caller's signal. */
  release?: () => void;
  readonly timeout: number;
  /** Workers that died at it. */
  losses: number;
  lane: Lane | undefined;
}

/** One worker; `jobs` in the order in which it answers. */
interface Lane {
  readonly worker: Worker;
  readonly jobs: Pending[];
  /** Models it keeps; the first was used least lately. */
  readonly models: Set<string>;
  /** It is ended because a run takes too long: the runs behind that one have not begun. */
  late: boolean;
}

/** Milliseconds in which a worker has to have read a model. Such tasks are few, and go before runs. */
const INSPECTION = 60_000;

/** Workers that may die in a row before one is started with a pause. */
const DEATHS = 3;
const PAUSE = 1000;

/** A bounded queue, and workers that take from it. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #lanes: Set<Lane> = new Set();
  #queue: Pending[] = [];
  #next = 0;
  #deaths = 0;
  #restarts = 0;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.workers; i++) this.#spawn();
  }

  /** Workers that are up, requests that wait or run, and workers started anew so far. */
  get facts(): {
    readonly workers: number;
    readonly waiting: number;
    readonly running: number;
    readonly restarts: number;
  } {
    const running = [...this.#lanes].reduce((n, l) => n + l.jobs.length, 0);
    return { workers: this.#lanes.size, waiting: this.#queue.length, running, restarts: this.#restarts };
  }

  /**
   * Runs a task.
   * @param signal drops the task where it has not begun
   * @throws ServeError Busy, LostWorker, Timeout, Closing; WorkerFault: what the library said
   */
  run(source: ModelFile, task: Task, signal?: AbortSignal): Promise<Answer> {
    const inspects = task.kind === 'inspect';
    if (this.#closed) return Promise.reject(new ServeError('Closing', 'the server is going down'));
    if (!inspects && this.#queue.length >= this.#options.queue)
      return Promise.reject(new ServeError('Busy', `${this.#queue.length} requests are waiting`));
    return new Promise((resolve, reject) => {
      const job: Pending = {
        id: this.#next++,
        model: source.id,
        task,
        source,
        resolve,
        reject,
        timer: undefined,
        losses: 0,
        lane: undefined,
        timeout: inspects ? INSPECTION : this.#options.timeout,
      };
      job.timer = setTimeout(() => this.#expire(job), job.timeout);
      if (signal !== undefined) {
        const drop = (): void => this.#drop(job);
        signal.addEventListener('abort', drop, { once: true });
        job.release = () => signal.removeEventListener('abort', drop);
      }
      if (inspects) this.#queue.unshift(job);
      else this.#queue.push(job);
      this.#dispatch();
    });
  }

  /** Tells all workers to let go of a model; requests that wait for it are still answered. */
  forget(model: string): void {
    if (this.#queue.some((j) => j.model === model)) return; // goes with the least lately used
    for (const lane of this.#lanes) if (lane.models.delete(model)) this.#post(lane, { kind: 'unload', model });
  }

  /** Answers what is waiting, then ends the workers. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length > 0 || [...this.#lanes].some((l) => l.jobs.length > 0))
      await new Promise<void>((done) => this.#idle.push(done));
    await this.end();
  }

  /** Ends the workers at once. */
  async end(): Promise<void> {
    this.#closed = true;
    const lanes = [...this.#lanes];
    this.#lanes.clear();
    for (const job of [...this.#queue, ...lanes.flatMap((l) => l.jobs)])
      this.#settle(job, () => job.reject(new ServeError('Closing', 'the server is going down')));
    this.#queue = [];
    await Promise.all(lanes.map((l) => l.worker.terminate()));
  }

  #post(lane: Lane, message: ToWorker): void {
    lane.worker.postMessage(message);
  }

  #spawn(): void {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: this.#options.start,
      execArgv: [], // not those of the program: a worker refuses some, such as --input-type
    });
    const lane: Lane = { worker, jobs: [], models: new Set(), late: false };
    this.#lanes.add(lane);
    worker.on('message', (m: FromWorker) => this.#answered(lane, m));
    worker.on('error', (e) => this.#options.onTrouble('a worker failed', e));
    worker.once('exit', (code) => this.#lost(lane, code));
  }

  #settle(job: Pending, how: () => void): void {
    clearTimeout(job.timer);
    job.release?.();
    how();
    if (this.#queue.length === 0 && [...this.#lanes].every((l) => l.jobs.length === 0))
      for (const done of this.#idle.splice(0)) done();
  }

  #answered(lane: Lane, m: FromWorker): void {
    const job = lane.jobs.shift()!;
    this.#deaths = 0;
    if ('fault' in m && m.stack !== undefined) this.#options.onTrouble('a run failed', m.stack);
    this.#settle(job, () => ('answer' in m ? job.resolve(m.answer) : job.reject(new WorkerFault(m.fault))));
    this.#dispatch();
  }

  #lost(lane: Lane, code: number): void {
    if (!this.#lanes.delete(lane)) return; // ended on purpose
    const back = lane.jobs.splice(0);
    for (const job of back) job.lane = undefined;
    const at = lane.late ? undefined : back[0];
    if (at !== undefined && ++at.losses === 2) {
      back.shift();
      this.#settle(at, () => at.reject(new ServeError('LostWorker', 'two workers died at this request')));
    }
    this.#queue.unshift(...back);
    this.#options.onTrouble('a worker died and is replaced', { code, late: lane.late });
    this.#replace();
  }

  #replace(): void {
    this.#restarts++;
    const start = (): void => {
      if (this.#closed && this.#queue.length === 0) return;
      this.#spawn();
      this.#dispatch();
    };
    if (++this.#deaths <= DEATHS) start();
    else setTimeout(start, PAUSE);
  }

  /** Nobody waits for it any more: not run if it has not begun. */
  #drop(job: Pending): void {
    if (job.lane !== undefined || !this.#queue.includes(job)) return;
    this.#queue.splice(this.#queue.indexOf(job), 1);
    this.#settle(job, () => job.reject(new ServeError('Closing', 'the caller has gone')));
  }

  #expire(job: Pending): void {
    const { lane } = job;
    const late = `no answer within ${job.timeout} ms`;
    if (lane === undefined) {
      this.#queue.splice(this.#queue.indexOf(job), 1);
      this.#settle(job, () => job.reject(new ServeError('Busy', late)));
    } else if (lane.jobs[0] === job) {
      lane.jobs.shift();
      lane.late = true;
      this.#settle(job, () => job.reject(new ServeError('Timeout', late)));
      lane.worker.terminate();
    } else job.timer = setTimeout(() => this.#expire(job), 10); // the run before it is later still, and ends first
  }

  /** Has the model ready in the worker. */
  #ready(lane: Lane, { id, file }: ModelFile): void {
    if (!lane.models.delete(id)) this.#post(lane, { kind: 'load', model: id, file });
    lane.models.add(id);
    for (const oldest of lane.models) {
      if (lane.models.size <= this.#options.loaded) break;
      lane.models.delete(oldest);
      this.#post(lane, { kind: 'unload', model: oldest });
    }
  }

  /** Requests of the queue that a worker takes: any while it is idle; while one run is left to it, those to the same model. */
  #due(lane: Lane): Pending | undefined {
    if (lane.late || lane.jobs.length > 1) return undefined;
    const at = lane.jobs[0];
    return at === undefined ? this.#queue[0] : this.#queue.find((j) => j.model === at.model);
  }

  #dispatch(): void {
    // Idle workers first. The others are sent the next runs before they end the last one, so that they do not wait for this thread.
    const lanes = [...this.#lanes].sort((a, b) => a.jobs.length - b.jobs.length);
    for (const [i, lane] of lanes.entries()) {
      const first = this.#due(lane);
      if (first === undefined) continue;
      const { batch } = this.#options;
      const others = lanes.slice(i).filter((l) => l.jobs.length === 0 && !l.late).length;
      const same = this.#queue.filter((j) => j.model === first.model);
      const taken = same.slice(0, Math.min(batch, Math.ceil(same.length / Math.max(1, others))));
      this.#queue = this.#queue.filter((j) => !taken.includes(j));
      this.#ready(lane, first.source);
      lane.jobs.push(...taken);
      for (const job of taken) job.lane = lane;
      this.#options.onBatch?.(taken.length);
      this.#post(lane, { kind: 'jobs', jobs: taken.map(({ id, model, task }) => ({ id, model, task })) });
    }
  }
}
