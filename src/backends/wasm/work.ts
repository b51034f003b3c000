/**
 * What every thread of a run does: it takes chunks of the section at hand until the last section is done. No thread is waited
 * for before a section begins, only for the chunk that it has taken, so that one the machine has put aside delays little.
 *
 * All is said by one word, STATE: the section, how many of its chunks are taken, and how many of those are being computed. A take
 * is a compare-and-swap of the whole word, so that it is right whenever it succeeds, however old the value was.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { type Call, call } from './call.ts';
import type { Kernels } from './module.ts';

/** Calls of small layers one after the other, as one chunk; or one call in several chunks. */
export interface Section {
  readonly calls: readonly Call[];
  readonly chunks: number;
}

/** Most sections and most chunks of one that STATE has room for. */
export const SECTIONS_MOST = 65535;
/** Most chunks of a section. */
export const CHUNKS_MOST = 1023;

/** Word of the control area: section · 2^16 + chunks taken · 2^6 + chunks being computed. */
export const STATE = 0;
/** Word: threads that sleep until STATE changes. */
export const SLEEPERS = 1;
/** Word: what the threads are told, GO, STOP or LEAVE. */
export const ORDER = 2;
/** Word: 1 where the end of the run is to be announced by a message. */
export const ANNOUNCE = 3;

/** Order: run to the end. */
export const GO = 0;
/** Order: the section at hand is the last. */
export const STOP = 1;
/** Order: a thread is lost; nothing of this run is of worth. */
export const LEAVE = 2;

/** Reads of STATE before a thread sleeps: doubled where that sufficed, halved where it did not. */
const SPINS = { least: 32, most: 4096 };

/** Computes chunk number `chunk` of a section. */
function compute(kernels: Kernels, { calls, chunks }: Section, chunk: number): void {
  if (chunks > 1) {
    const c = calls[0]!;
    call(kernels, c, floorDiv(c.units * chunk, chunks) | 0, floorDiv(c.units * (chunk + 1), chunks) | 0);
  } else for (let i = 0; i < calls.length; i++) call(kernels, calls[i]!, 0, calls[i]!.units);
}

/** Sleeps while STATE is `state`, for at most `patience` milliseconds. False if that was too short. */
export function sleep(control: Int32Array, state: number, patience: number): boolean {
  Atomics.add(control, SLEEPERS, 1);
  const how = Atomics.wait(control, STATE, state, patience);
  Atomics.sub(control, SLEEPERS, 1);
  return how !== 'timed-out';
}

/** Sets STATE to the first chunk of a section and wakes who sleeps. */
function advance(control: Int32Array, section: number): void {
  Atomics.store(control, STATE, section << 16);
  if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, STATE);
}

/** True if STATE changed within `spins` reads. */
function spin(control: Int32Array, state: number, spins: number): boolean {
  for (let i = 0; i < spins; i++) if (Atomics.load(control, STATE) !== state) return true;
  return false;
}

/**
 * Takes part in the run at hand until it ends.
 * @returns true if this thread ended it, by completing the last section
 * @throws Error if a section does not end within `patience` milliseconds
 */
export function work(kernels: Kernels, control: Int32Array, sections: readonly Section[], patience: number): boolean {
  let spins = SPINS.least;
  for (;;) {
    const state = Atomics.load(control, STATE);
    const at = state >>> 16;
    const section = sections[at];
    if (section === undefined || Atomics.load(control, ORDER) === LEAVE) return false;
    const chunk = (state >>> 6) & CHUNKS_MOST;
    if (chunk === section.chunks) {
      const short = spin(control, state, spins);
      spins = short ? Math.min(SPINS.most, 2 * spins) : Math.max(SPINS.least, spins >> 1);
      if (!short && !sleep(control, state, patience)) throw new Error('a thread does not come back');
    } else if (Atomics.compareExchange(control, STATE, state, state + 65) === state) {
      compute(kernels, section, chunk);
      const left = Atomics.sub(control, STATE, 1) - 1;
      if ((left & 65535) !== section.chunks << 6) continue;
      const next = Atomics.load(control, ORDER) === STOP ? sections.length : at + 1;
      advance(control, next);
      if (next === sections.length) return true;
    }
  }
}
