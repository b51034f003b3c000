/**
 * The program of a worker; scripts/build-worker.ts makes it one text, worker.gen.ts. It hears a `Setup`, the number of an
 * executable to help, or the complement of one to forget; it says the number of an executable that is set up or whose run it ended.
 * @module
 */
import { kernelsOver } from './call.ts';
import type { Kernels } from './module.ts';
import { ANNOUNCE, LEAVE, ORDER, type Section, STATE, sleep, work } from './work.ts';

/** What a worker needs of an executable; `base` is that of its private area. */
export interface Setup {
  readonly id: number;
  readonly modules: readonly WebAssembly.Module[];
  readonly memory: WebAssembly.Memory;
  readonly base: number;
  readonly sections: readonly Section[];
}

interface Job {
  readonly kernels: Kernels;
  readonly control: Int32Array;
  readonly sections: readonly Section[];
}

interface Port {
  onmessage: ((event: { readonly data: Setup | number }) => void) | null;
  postMessage(message: number): void;
}

/** Milliseconds that a worker sleeps behind a run before it reads its messages: the next run then wakes it at once. */
const LINGER = 20;

const node = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:worker_threads');
const port = (node?.parentPort ?? globalThis) as unknown as Port;
const jobs = new Map<number, Job>();

function setUp({ id, modules, memory, base, sections }: Setup): void {
  const kernels = kernelsOver(modules, memory, base);
  jobs.set(id, { kernels, control: new Int32Array(memory.buffer, 0, 16), sections });
  port.postMessage(id);
}

/** Helps with runs of an executable as long as one follows the other. */
function help(id: number, { kernels, control, sections }: Job): void {
  const end = sections.length << 16;
  do {
    if (work(kernels, control, sections, Number.POSITIVE_INFINITY) && Atomics.load(control, ANNOUNCE) === 1)
      port.postMessage(id);
    sleep(control, end, LINGER);
  } while (Atomics.load(control, STATE) !== end && Atomics.load(control, ORDER) !== LEAVE);
}

port.onmessage = ({ data }) => {
  if (typeof data === 'object') setUp(data);
  else if (data < 0) jobs.delete(~data);
  else if (jobs.has(data)) help(data, jobs.get(data)!);
};
