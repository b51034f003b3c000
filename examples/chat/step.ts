/**
 * A decoder over a window of characters as a model of one step: what attention reads of earlier characters (keys and values)
 * comes in and goes out. Every element is computed by the ops and constants of the window model, so the logits of a step have the
 * bits of their row of the window.
 * @module
 */
import type { Graph, OutputDecl } from '../../src/format.ts';
import type { Model } from '../../src/index.ts';
import { GraphWriter, type Ref } from '../../src/quant/graph-writer.ts';
import { multiplier } from '../../src/quant/scales.ts';

/** How the next character is drawn from the logits: of the first `k`, the least prefix of `p16`/2^16 of their weight. */
export interface Drawing {
  readonly temperature: number;
  readonly k: number;
  readonly p16: number;
}

/** Attributes that hold a shape. */
const SIZES: Readonly<Record<string, string>> = { reshape: 'shape', slice: 'size' };

/** A tensor of the step: where it is, and which of its axes is the window in the source; −1 if none. */
interface Traced {
  readonly ref: Ref;
  readonly axis: number;
}

/**
 * The model of one step.
 *
 * Inputs: `token` i32 [1,1], `position` i32 [1] of the token in the window, with a drawing `seed` i32 [2] and `step` i32 [1],
 * then the caches. Outputs: `next` i32 [1,1] (without a drawing `logits`), then the caches in the same order and type.
 * @param source a model of tokens i32 [1,window] to logits [1,window,characters], every attention causal
 * @param drawing how to draw; undefined for logits
 */
export function stepModel(source: Model, drawing?: Drawing): Graph {
  const [tokens] = source.inputs;
  const [logits] = source.outputs;
  const window = tokens?.shape[1];
  if (typeof window !== 'number' || logits === undefined) throw new Error('the source has no window of characters');
  const w = new GraphWriter();
  const word = { dtype: 'i32', zp: 0 } as const;
  const token = w.input({ ...tokens!, name: 'token', shape: [1, 1] });
  const position = w.input({ ...word, name: 'position', shape: [1], lo: 0, hi: window - 1 });
  const [min, max] = [-2147483648, 2147483647];
  const seed = drawing && w.input({ ...word, name: 'seed', shape: [2], lo: min, hi: max });
  const step = drawing && w.input({ ...word, name: 'step', shape: [1], lo: min, hi: max });

  const made: Traced[] = [{ ref: token, axis: 1 }];
  for (const c of source.constants)
    made.push({ ref: w.constant(c.dtype, c.shape, c.data, c.zp), axis: c.shape.indexOf(window) });
  const constants = 1 + source.constants.length;
  const caches: (Omit<OutputDecl, 'tensor'> & { ref: Ref })[] = [];

  /** All rows up to this one of a tensor that attention reads. */
  const cached = (id: number): Ref => {
    const { dtype, shape, zp, lo, hi } = source.tensors[id]!;
    const { ref, axis } = made[id]!;
    const name = `cache${caches.length}`;
    const earlier = w.input({ name: `${name}_in`, dtype, shape, zp, lo, hi });
    const all = w.node('update', [earlier, ref, position], { axis });
    caches.push({ name, ref: all });
    return all;
  };

  for (const [i, node] of source.nodes.entries()) {
    const inputs: (Ref | undefined)[] = node.inputs.map((id) => {
      const t = made[id]!;
      const rows = id > 0 && id < constants && t.axis >= 0 && node.op === 'linear2'; // positions: one row a character
      return rows ? w.node('gather', [t.ref, position], { axis: t.axis }) : t.ref;
    });
    const out = source.info[i]!.outputs[0]!;
    const { shape } = source.tensors[out]!;
    const axis = shape.indexOf(window); // of the scores, which have two: that of the rows
    let attrs = node.attrs;
    const size = SIZES[node.op];
    if (size !== undefined) attrs = { ...attrs, [size]: (attrs[size] as number[]).map((n, k) => (k === axis ? 1 : n)) };
    if (node.op === 'gather') inputs[1] = token;
    if (node.op === 'matmul') inputs[1] = cached(node.inputs[1]!);
    if (node.op === 'softmax') {
      if (attrs['causal'] !== true || attrs['offset'] !== 0) throw new Error('an attention is not causal');
      inputs.push(undefined, position);
    }
    made[out] = { ref: w.node(node.op, inputs, attrs as never), axis };
  }

  const last = made[logits.tensor]!.ref;
  if (drawing === undefined) return w.finish([{ name: 'logits', scale: logits.scale, ref: last }, ...caches]);
  const scale = logits.scale!.mantissa * 2 ** logits.scale!.exponent;
  const { m, l } = multiplier((scale * Math.LOG2E * 65536) / drawing.temperature);
  const next = w.node('sample', [last, seed!, step!], { l, m, k: drawing.k, p16: drawing.p16 });
  return w.finish([{ name: 'next', ref: next }, ...caches]);
}
