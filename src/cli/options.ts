/**
 * Values of options, parsed strictly.
 * @module
 */
import { InvalidArgumentError } from 'commander';
import type { Mode } from '../backends/backend.ts';
import type { Model } from '../graph/ir.ts';
import type { Dims } from '../onnx/dims.ts';
import { BACKEND_NAMES, type BackendName, createSession, type Session } from '../runtime/session.ts';

/** A parser of whole numbers in lo…hi. */
export function whole(lo: number, hi: number): (text: string) => number {
  return (text) => {
    const n = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(n >= lo && n <= hi)) throw new InvalidArgumentError(`It must be a whole number in ${lo}…${hi}.`);
    return n;
  };
}

/** A finite number from `lo`. */
export function atLeast(lo: number): (text: string) => number {
  return (text) => {
    const n = text.trim() === '' ? Number.NaN : Number(text);
    if (!(n >= lo) || n === Number.POSITIVE_INFINITY) throw new InvalidArgumentError(`It must be a number from ${lo}.`);
    return n;
  };
}

/** A BigInt from 0. */
export function gas(text: string): bigint {
  if (!/^\d{1,30}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return BigInt(text);
}

/** Wei, or a number of ether with `ether` behind it. */
export function wei(text: string): bigint {
  const [, whole, part = ''] = /^(\d{1,12})(?:\.(\d{1,18}))?ether$/.exec(text) ?? [];
  if (whole !== undefined) return BigInt(whole + part.padEnd(18, '0'));
  if (!/^\d{1,30}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of wei, or like 0.01ether.');
  return BigInt(text);
}

/** One of some words. */
export function choice<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((w) => w === text);
    if (found === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
    return found;
  };
}

/** V[,V…]. */
export function numbers(text: string): number[] {
  const list = text.split(',').map((t) => (t.trim() === '' ? Number.NaN : Number(t)));
  if (list.some((n) => !Number.isFinite(n)))
    throw new InvalidArgumentError('It must be a number, or numbers with commas between them.');
  return list;
}

/** Adds an occurrence of an option that may stand several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** A name that the table has not got yet. */
function once(name: string, before: object): string {
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return name;
}

/** Adds NAME=VALUE to a table of dims. */
export function dim(text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const [, name, value] = /^(.+)=(\d{1,9})$/.exec(text) ?? [];
  if (name === undefined || Number(value) < 1)
    throw new InvalidArgumentError('It must be NAME=VALUE with a whole number from 1.');
  return { ...before, [once(name, before)]: Number(value) };
}

/** Adds NAME=VALUE to a table of numbers. */
export function assignment(
  text: string,
  before: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const [, name, value] = /^(.+)=(-?\d+(?:\.\d+)?(?:e-?\d+)?)$/.exec(text) ?? [];
  if (name === undefined || !Number.isFinite(Number(value)))
    throw new InvalidArgumentError('It must be NAME=VALUE with a number.');
  return { ...before, [once(name, before)]: Number(value) };
}

/** Adds NAME=VALUE or NAME=MIN..MAX to a table of dims. */
export function dimOrRange(text: string, before: Dims = {}): Dims {
  const [, name, least, greatest] = /^(.+)=(\d{1,9})\.\.(\d{1,9})$/.exec(text) ?? [];
  if (name === undefined) {
    if (!/\.\./.test(text)) return { ...before, ...dim(text) };
    throw new InvalidArgumentError('It must be NAME=VALUE or NAME=MIN..MAX with whole numbers from 1.');
  }
  const [min, max] = [Number(least), Number(greatest)];
  if (min < 1 || max < min) throw new InvalidArgumentError('The range must be MIN..MAX with 1 ≤ MIN ≤ MAX.');
  return { ...before, [once(name, before)]: { min, max } };
}

/** Backends that every machine has. */
export const EVERYWHERE: readonly BackendName[] = ['reference', 'wasm'];

/** NAME, `auto`, or wasm:THREADS. */
const BACKEND = new RegExp(`^(?:(${BACKEND_NAMES.join('|')}|auto)|(wasm):([1-9]|[12]\\d|3[012]))$`);

/** A backend, behind a colon how many threads it may take. */
export function backend(text: string): string {
  if (!BACKEND.test(text))
    throw new InvalidArgumentError(
      `The backends are ${BACKEND_NAMES.join(', ')} and auto, the fastest of them; wasm:2 is wasm on two threads, of 32; the others take one.`,
    );
  return text;
}

/** A session on what `backend` has parsed. */
export function sessionOn(model: Model, text: string, mode: Mode = 'run'): Promise<Session> {
  const [, plain, threaded, threads = '1'] = BACKEND.exec(text)!;
  if (plain === 'auto') return createSession(model, { backend: plain, mode });
  const name = BACKEND_NAMES.find((n) => n === (plain ?? threaded))!;
  return createSession(model, { backend: name, threads: Number(threads), mode });
}

/** Backend of a session that has run, with its threads where it takes several. */
export function laneOf(session: Session): string {
  const { backend, threads } = session.explain();
  return threads > 1 ? `${backend}:${threads}` : backend;
}

/** A backend as it was asked for, with a note where its session took fewer threads; for `auto` what it chose. */
export function showBackend(name: string, ran: string): string {
  if (name === 'auto') return `auto (${ran})`;
  const threads = Number(ran.split(':')[1] ?? 1);
  const wanted = Number(BACKEND.exec(name)![3] ?? 1);
  return threads === wanted ? name : `${name} (${threads === 1 ? 'one thread' : `${threads} threads`})`;
}

/** Backends with commas between them; each once. */
export function backends(text: string): string[] {
  const list = text.split(',').map(backend);
  if (new Set(list).size !== list.length) throw new InvalidArgumentError('Name each backend once.');
  return list;
}
