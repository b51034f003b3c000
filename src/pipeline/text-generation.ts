/**
 * Text generation: a text in, the same text with more behind it out. Tokens are drawn by the model itself, or the likeliest is taken.
 * @module
 */
import { allocate, elementCount, type Tensor, type TypedArray } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { only, type Pipeline, type Runs, task } from './run.ts';

/** Text to token codes and back. */
export interface Tokenizer {
  encode(text: string): readonly number[];
  decode(codes: readonly number[]): string;
}

/** How to go on. */
export interface GenerationOptions {
  /** Tokens to add; 20 by default. */
  readonly max_new_tokens?: number | undefined;
  /** Two words of a model that draws by itself: one seed, one text. */
  readonly seed?: readonly [number, number] | undefined;
  /** Gets each token as text when it is there. */
  readonly on_text?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `generated_text`: the prompt and what was added; `tokens`: codes of what was added. */
export interface Generated {
  readonly generated_text: string;
  readonly tokens: readonly number[];
}

/** A code a character, in the order of an alphabet. @throws RangeError from `encode` on a character outside it */
export function alphabetTokenizer(alphabet: string): Tokenizer {
  const letters = [...alphabet];
  return {
    encode: (text) =>
      [...text].map((c) => {
        const code = letters.indexOf(c);
        if (code < 0) throw new RangeError(`${JSON.stringify(c)} is not in the alphabet ${JSON.stringify(alphabet)}`);
        return code;
      }),
    decode: (codes) => codes.map((c) => letters[c]).join(''),
  };
}

/** The code behind some others; `turn` counts the runs of a call. */
type Next = (runs: Runs, codes: readonly number[], options: GenerationOptions) => Promise<number>;

/** Index of the greatest of `size` elements from an offset on; of equals the first. */
function greatest(data: ArrayLike<number>, from: number, size: number): number {
  let best = 0;
  for (let i = 1; i < size; i++) if (data[from + i]! > data[from + best]!) best = i;
  return best;
}

/** A model of the whole window: codes i32 [1, W] to logits [1, W, codes], where no row depends on later codes. */
function windowed(model: Model): () => Next {
  const [input, output] = [
    only(model.inputs, 'input', 'text-generation'),
    only(model.outputs, 'output', 'text-generation'),
  ];
  const [window, size] = [input.shape[1], model.tensors[output.tensor]!.shape[2]];
  if (input.dtype !== 'i32' || input.shape.length !== 2 || typeof window !== 'number' || typeof size !== 'number')
    throw new TypeError(
      'text-generation takes codes i32 [1, window] to logits [1, window, codes], or a model of one step',
    );
  return () => async (runs, codes) => {
    const read = codes.slice(-window);
    const data = new Int32Array(window);
    data.set(read);
    const outputs = await runs.run({ [input.name]: data });
    return greatest(outputs[output.name]!.data, (read.length - 1) * size, size);
  };
}

/** A word of the step model by its name: present or not. */
function has(model: Model, name: string): boolean {
  return model.inputs.some((i) => i.name === name);
}

/**
 * A model of one step: `token` and, where it has them, `position`, `seed` [2] and `step`; what it remembers comes back by name, `x_in` from
 * `x`, or stays in the session as state. It gives `next`, or `logits` of which the greatest is taken. At the end of its window the last half is
 * read again from the start.
 */
function stepwise(model: Model): () => Next {
  const states = new Set(model.states.map((s) => s.input));
  const memory = model.inputs.filter((d, i) => !states.has(i) && d.name.endsWith('_in'));
  const window = last(model.inputs.find((d) => d.name === 'position'));
  const kept = Math.max(1, Math.floor(window / 2) - 1);
  const empty = (d: InputDecl): TypedArray => allocate(d.dtype, elementCount(d.shape as readonly number[])).fill(d.zp);
  return () => {
    let held: Record<string, TypedArray> = Object.fromEntries(memory.map((d) => [d.name, empty(d)]));
    let [position, turn] = [0, 0];
    let read: readonly number[] = [];
    return async (runs, codes, { seed = [1, 0] }) => {
      if (read.length === 0) read = codes.slice(-kept);
      else read = [...read, codes.at(-1)!];
      for (;;) {
        if (position >= window) {
          read = read.slice(-kept);
          position = 0;
        }
        const inputs: Record<string, TypedArray> = { ...held, token: Int32Array.of(read[position]!) };
        if (has(model, 'position')) inputs['position'] = Int32Array.of(position);
        if (has(model, 'seed')) inputs['seed'] = Int32Array.from(seed);
        if (has(model, 'step')) inputs['step'] = Int32Array.of(turn);
        const outputs: Readonly<Record<string, Tensor>> = await runs.run(inputs);
        turn++;
        held = Object.fromEntries(memory.map((d) => [d.name, outputs[d.name.slice(0, -3)]!.data as TypedArray]));
        if (++position < read.length) continue;
        const { next, logits } = outputs;
        return next?.data[0] ?? greatest(logits!.data, 0, logits!.data.length);
      }
    };
  };
}

/** Positions of a step model: one more than the greatest; without positions no end. */
function last(position: InputDecl | undefined): number {
  return typeof position?.hi === 'number' ? position.hi + 1 : Number.POSITIVE_INFINITY;
}

/** The task over a model of a window of tokens or of one step. One call at a time where the session keeps state. */
export function textGeneration(
  model: Model,
  session: SessionOptions,
  tokenizer: Tokenizer,
): Promise<Pipeline<string, GenerationOptions, Generated>> {
  const stepped = has(model, 'token') && model.outputs.some((o) => o.name === 'next' || o.name === 'logits');
  const begin = stepped ? stepwise(model) : windowed(model);
  let made: Pipeline<string, GenerationOptions, Generated> | undefined;
  const pending = task<string, GenerationOptions, Generated>(
    'text-generation',
    model,
    session,
    async (runs, prompt, options = {}) => {
      const codes = [...tokenizer.encode(prompt)];
      if (codes.length === 0) throw new TypeError('text-generation goes on from at least one token');
      if (model.states.length > 0) made!.session.reset();
      const next = begin();
      const tokens: number[] = [];
      for (let n = options.max_new_tokens ?? 20; n > 0; n--) {
        options.signal?.throwIfAborted();
        const code = await next(runs, codes, options);
        codes.push(code);
        tokens.push(code);
        options.on_text?.(tokenizer.decode([code]));
      }
      return { generated_text: prompt + tokenizer.decode(tokens), tokens };
    },
  );
  return pending.then((p) => (made = p));
}
