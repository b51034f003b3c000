/**
 * Runs beside the page, which stays quick: a model on a backend, or the whole task of the table.
 * @module
 */
import { expose } from 'comlink';
import type { Inputs } from 'samebit';
import type { Bed, Hear, Task } from '../../../test/engines/bed.ts';
import { type Failure, failureOf } from '../shell/error.ts';
import { type Name, type Ran, ran } from '../shell/subject.ts';

const api = {
  /** One model on one backend. */
  async run(bytes: Uint8Array, inputs: Inputs, name: Name): Promise<Ran | Failure> {
    try {
      return await ran(bytes, inputs, name);
    } catch (e) {
      return failureOf(e);
    }
  },
  /** The task of ENGINES.md on one backend. */
  async suite(task: Omit<Task, 'backends'>, name: Name, hear: Hear): Promise<Bed> {
    const { bed } = await import('../../../test/engines/bed.ts');
    let last = 0;
    return bed({ ...task, backends: [name] }, (what, done, of) => {
      if (performance.now() - last < 100) return;
      last = performance.now();
      void hear(what, done, of);
    });
  },
};

/** What the page calls. */
export type Api = typeof api;

expose(api);
