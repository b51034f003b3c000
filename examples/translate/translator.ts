/** English to German and back to text: word pieces in and out of the network. */
import { readFileSync } from 'node:fs';
import { loadModel, type Model, type Session } from '../../src/index.ts';

/** Pieces of the longest phrase and of the longest translation, the end mark included. */
export const STEPS = 20;
const END = 2;
const folder = new URL('.', import.meta.url);

function table(name: string): string[][] {
  const lines = readFileSync(new URL(name, folder), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => line.split('\t'));
}

/** A held-out phrase: English, German, and what the float network makes of it. */
export interface HeldOut {
  readonly kind: string;
  readonly english: string;
  readonly german: string;
  readonly float: string;
}

/** The phrases that the network has not seen. */
export function heldOut(): HeldOut[] {
  return table('held-out.tsv').map(([kind, english, german, float]) => ({
    kind: kind!,
    english: english!,
    german: german!,
    float: float!,
  }));
}

/** The integer network. */
export function translator(): Model {
  return loadModel(new Uint8Array(readFileSync(new URL('model.sbm', folder))));
}

const pieces = table('pieces.tsv');
const english = new Map(pieces.map(([e], i) => [e!, i]).slice(END + 1) as [string, number][]);
const longest = Math.max(...[...english.keys()].map((p) => p.length));

/**
 * A phrase as pieces: the longest one that fits, again and again; zeros fill the rest.
 * @throws RangeError for a character that no piece has, or a phrase of too many pieces
 */
export function encode(text: string): Int32Array {
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    let n = longest;
    while (n > 0 && !english.has(text.slice(at, at + n))) n--;
    if (n === 0) throw new RangeError(`the translator has never seen ${JSON.stringify(text[at])}`);
    ids.push(english.get(text.slice(at, at + n))!);
    at += n;
  }
  if (ids.length >= STEPS) throw new RangeError(`${ids.length} pieces, the translator takes ${STEPS - 1}`);
  return Int32Array.of(...ids, END, ...new Array<number>(STEPS - 1 - ids.length).fill(0));
}

/** Text of the pieces up to the end mark. */
export function decode(ids: ArrayLike<number>): string {
  const list = Array.from(ids);
  const end = list.indexOf(END);
  return list
    .slice(0, end < 0 ? undefined : end)
    .map((i) => pieces[i]![1])
    .join('');
}

/** A phrase through the network, on this machine. */
export async function translate(session: Session, text: string): Promise<Int32Array> {
  const { outputs } = await session.run({ english: encode(text) });
  return outputs['german']!.data as Int32Array;
}
