/**
 * Labels with scores, best first. They are ranked by the model's integers; scores are for reading.
 * @module
 */
import type { Model, OutputDecl } from '../graph/ir.ts';
import { exp } from '../quant/math.ts';

/** A label and its score. */
export interface Label {
  readonly label: string;
  readonly score: number;
}

/** Whether an output is already a share of one: the result of a softmax. */
export function isSoftmax(model: Model, o: OutputDecl): boolean {
  const maker = model.info.findIndex((n) => n.outputs.includes(o.tensor));
  return maker >= 0 && model.nodes[maker]!.op === 'softmax';
}

/** e^v / Σ e^v, the same bits on every engine. */
export function softmax(values: ArrayLike<number>): number[] {
  const all = Array.from(values);
  const most = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = all.map((v) => exp(v - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** The first `count` by falling integer, of equals the first. Without names a label is its index. */
export function ranked(
  integers: ArrayLike<number>,
  scores: ArrayLike<number>,
  names: readonly string[] | undefined,
  count: number,
): Label[] {
  if (names !== undefined && names.length !== integers.length)
    throw new TypeError(`${names.length} labels for ${integers.length} classes`);
  return Array.from(integers, (q, i) => ({ q, i }))
    .sort((a, b) => b.q - a.q || a.i - b.i)
    .slice(0, count)
    .map(({ i }) => ({ label: names?.[i] ?? String(i), score: scores[i]! }));
}
