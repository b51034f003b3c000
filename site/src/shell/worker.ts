/**
 * A worker that is called like an object, and what becomes of a call where it fails.
 * @module
 */
import { type Remote, wrap } from 'comlink';
import type { Failure } from './error.ts';

/** A worker at work. */
export interface Hand<T> {
  readonly api: Remote<T>;
  /** The result of a call. @throws Failure where the worker breaks or is ended before it answers */
  until<P extends Promise<unknown>>(call: P): Promise<Awaited<P>>;
  /** Ends the worker. */
  end(): void;
}

/** Takes a worker that exposes a `T`. */
export function hand<T>(worker: Worker): Hand<T> {
  let end = (): void => {};
  const over = new Promise<never>((_, reject) => {
    const fail = (code: string, message: string, next: string): void =>
      reject({ family: 'HostError', code, message, next } satisfies Failure);
    worker.onerror = (e) => fail('Worker', e.message || 'the worker could not be started', 'Load the page again.');
    end = () => fail('Stopped', 'the work was ended', 'Begin again.');
  });
  over.catch(() => {}); // nobody may be waiting
  return {
    api: wrap<T>(worker),
    until: (call) => Promise.race([call, over]) as Promise<Awaited<typeof call>>,
    end: () => {
      worker.terminate();
      end();
    },
  };
}
