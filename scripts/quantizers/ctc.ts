/**
 * Greedy CTC decoding: the likeliest class of every step, repetitions joined, blanks dropped.
 * @module
 */

/** Text of the scores [steps, classes], row-major; class 0 is the blank, class i stands for `keys[i − 1]`, the last for a space. */
export function decode(scores: ArrayLike<number>, classes: number, keys: readonly string[]): string {
  let text = '';
  for (let at = 0, before = 0; at + classes <= scores.length; at += classes) {
    let best = 0;
    for (let i = 1; i < classes; i++) if (scores[at + i]! > scores[at + best]!) best = i;
    if (best !== 0 && best !== before) text += best > keys.length ? ' ' : keys[best - 1]!;
    before = best;
  }
  return text;
}
