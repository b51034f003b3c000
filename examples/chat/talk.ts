/** Letters and their codes, and a stream of drawn letters from the model of one step. */
import { readFileSync } from 'node:fs';
import { loadModel, type Model } from '../../src/index.ts';
import type { Engine, Values } from '../host.ts';

/** Letters in order of their codes. */
export const LETTERS: string = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Letters in a window. */
export const WINDOW = 64;
/** Letters that are read again where a window is full. */
const KEPT = 31;

/** The model of this folder. */
export function readModel(): Model {
  return loadModel(new Uint8Array(readFileSync(new URL('model.sbm', import.meta.url))));
}

/** Codes of a text. @throws Error on a letter that the model does not know */
export function encode(text: string): number[] {
  return [...text].map((c) => {
    const code = LETTERS.indexOf(c);
    if (code < 0) throw new Error(`the model knows no ${JSON.stringify(c)}; it knows ${JSON.stringify(LETTERS)}`);
    return code;
  });
}

/** The text of codes. */
export function decode(codes: Iterable<number>): string {
  return Array.from(codes, (c) => LETTERS[c]).join('');
}

/** What the model remembers before it has read anything. */
export function emptyMemory(model: Model): Values {
  return Object.fromEntries(
    model.inputs
      .filter((i) => i.name.endsWith('_in'))
      .map((i) => {
        const size = (i.shape as number[]).reduce((a, n) => a * n, 1);
        return [i.name, (i.dtype === 'i8' ? new Int8Array(size) : new Int16Array(size)).fill(i.zp)];
      }),
  );
}

/** Reads or draws one letter: its code, and what is remembered after it. */
export async function oneStep(
  engine: Engine,
  memory: Values,
  words: { readonly token: number; readonly position: number; readonly seed: Int32Array; readonly step: number },
): Promise<{ readonly next: number; readonly memory: Values }> {
  const outputs = await engine.run({
    token: Int32Array.of(words.token),
    position: Int32Array.of(words.position),
    seed: words.seed,
    step: Int32Array.of(words.step),
    ...memory,
  });
  const kept = Object.keys(memory).map((name) => [name, outputs[name.slice(0, -3)]!] as const);
  return { next: outputs['next']![0]!, memory: Object.fromEntries(kept) };
}

/** Draws `count` letters behind a text, one by one. */
export async function* talk(
  model: Model,
  engine: Engine,
  text: string,
  count: number,
  seed: Int32Array,
): AsyncGenerator<number> {
  const codes = encode(text).slice(-KEPT);
  let memory = emptyMemory(model);
  let [position, drawn, turn] = [0, 0, 0];
  while (drawn < count) {
    if (position === WINDOW) {
      codes.splice(0, codes.length - KEPT);
      position = 0;
    }
    const done = await oneStep(engine, memory, { token: codes[position]!, position, seed, step: turn++ });
    memory = done.memory;
    if (++position < codes.length) continue;
    codes.push(done.next);
    drawn++;
    yield done.next;
  }
}
