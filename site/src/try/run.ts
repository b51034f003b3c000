/**
 * Sessions of the demos on the backend that is chosen, and the facts of a run.
 * @module
 */
import type { Inputs, RunResult, Session } from 'samebit';
import { bytesOf } from '../shell/data.ts';
import { digestView } from '../shell/digest.ts';
import { byId, el, say } from '../shell/dom.ts';
import { errorBox } from '../shell/error.ts';
import { ms, whole } from '../shell/format.ts';
import { BACKENDS, missing, type Name, sessionOn } from '../shell/subject.ts';

/** Sessions by model and backend. */
const sessions = new Map<string, Promise<Session>>();

/** The backend that is chosen. */
export function chosen(): Name {
  return byId<HTMLSelectElement>('backend').value as Name;
}

/** Fills the choice of backends; the reference is too slow for pictures. */
export function offerBackends(): void {
  const quick = BACKENDS.filter((b) => b !== 'reference');
  const names = quick.filter((b) => missing(b) === undefined);
  byId('backend').replaceChildren(...names.map((b) => el('option', { value: b }, b)));
  const lacking = quick.filter((b) => !names.includes(b)).map((b) => `${b}: ${missing(b)}.`);
  byId('backend-hint').textContent = lacking.join(' ');
}

/** The session of a model of the data folder on the chosen backend. */
export function sessionOf(model: string): Promise<Session> {
  const key = `${model} ${chosen()}`;
  const backend = chosen();
  let found = sessions.get(key);
  if (found === undefined) {
    found = bytesOf(`${model}.sbm`).then(async (bytes) => (await sessionOn(bytes, backend)).session);
    found.catch(() => sessions.delete(key));
    sessions.set(key, found);
  }
  return found;
}

/** Time, backend, gas and digest of a run. */
export function facts(backend: string, time: string, gas: bigint, digest: string): HTMLElement {
  const lines: [string, Node | string][] = [
    ['Time', time],
    ['Backend', backend],
    ['Gas', whole(gas)],
    ['Digest', digestView(digest)],
  ];
  return el('dl', { class: 'facts' }, ...lines.flatMap(([k, v]) => [el('dt', {}, k), el('dd', {}, v)]));
}

/** Runs a model, with the time of the run alone. */
export async function timed(model: string, inputs: Inputs): Promise<{ result: RunResult; facts: HTMLElement }> {
  const backend = chosen();
  const session = await sessionOf(model);
  const from = performance.now();
  const result = await session.run(inputs);
  const time = ms(performance.now() - from);
  return { result, facts: facts(backend, time, result.gasUsed, result.digest) };
}

/** What each output waits for. */
const queues = new WeakMap<HTMLElement, Promise<void>>();

/** Runs the work of a demo, one at a time for each output; errors go into it. */
export function guarded(out: HTMLElement, work: () => Promise<void>): () => Promise<void> {
  return () => {
    out.setAttribute('aria-busy', 'true');
    const last = (queues.get(out) ?? Promise.resolve())
      .then(work)
      .catch((e: unknown) => {
        out.replaceChildren(errorBox(e));
        say('An error');
      })
      .finally(() => {
        if (queues.get(out) === last) out.removeAttribute('aria-busy');
      });
    queues.set(out, last);
    return last;
  };
}
