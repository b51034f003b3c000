/**
 * Pairs the nodes of two graphs in their order: a longest common subsequence of ops.
 * @module
 */
import type { Node } from '../graph/ir.ts';

/** Places in the two graphs; one of them is undefined where a node has no partner. */
export type Pair = readonly [a: number | undefined, b: number | undefined];

/** Products of lengths up to which the common subsequence is searched; beyond, what lies between the equal ends has no partners. */
const MOST_CELLS = 16_000_000;

/**
 * Pairs of nodes of equal op, and those without a partner, in the order of the graphs. Equal ends are paired first, so that
 * the search is over what differs.
 */
export function alignNodes(a: readonly Pick<Node, 'op'>[], b: readonly Pick<Node, 'op'>[]): Pair[] {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head]!.op === b[head]!.op) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail]!.op === b[b.length - 1 - tail]!.op) tail++;
  const [n, m] = [a.length - head - tail, b.length - head - tail];
  const pairs: Pair[] = Array.from({ length: head }, (_, i) => [i, i] as const);
  pairs.push(
    ...(n * m > MOST_CELLS ? apart(n, m) : common(a.slice(head, head + n), b.slice(head, head + m))).map(
      ([i, k]): Pair => [i === undefined ? i : i + head, k === undefined ? k : k + head],
    ),
  );
  for (let t = tail; t > 0; t--) pairs.push([a.length - t, b.length - t]);
  return pairs;
}

/** All of the one, then all of the other. */
function apart(n: number, m: number): Pair[] {
  return [
    ...Array.from({ length: n }, (_, i): Pair => [i, undefined]),
    ...Array.from({ length: m }, (_, k): Pair => [undefined, k]),
  ];
}

function common(a: readonly Pick<Node, 'op'>[], b: readonly Pick<Node, 'op'>[]): Pair[] {
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width); // length of the best pairing of a[i…] and b[k…]
  for (let i = a.length - 1; i >= 0; i--)
    for (let k = b.length - 1; k >= 0; k--)
      best[i * width + k] =
        a[i]!.op === b[k]!.op
          ? best[(i + 1) * width + k + 1]! + 1
          : Math.max(best[(i + 1) * width + k]!, best[i * width + k + 1]!);
  const pairs: Pair[] = [];
  let [i, k] = [0, 0];
  while (i < a.length && k < b.length) {
    if (a[i]!.op === b[k]!.op) pairs.push([i++, k++]);
    else if (best[(i + 1) * width + k]! >= best[i * width + k + 1]!) pairs.push([i++, undefined]);
    else pairs.push([undefined, k++]);
  }
  for (; i < a.length; i++) pairs.push([i, undefined]);
  for (; k < b.length; k++) pairs.push([undefined, k]);
  return pairs;
}
