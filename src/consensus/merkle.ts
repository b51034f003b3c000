/**
 * Hash trees over canonical bytes (spec/40-consensus.md §1): roots, openings of several leaves, and their check.
 * @module
 */
import { digestOf } from '../core/digest.ts';
import { floorDiv } from '../core/int.ts';
import { keccak256 } from './keccak.ts';

/** Hash functions of commitments; the index is the code in a header. */
export const HASHES = ['keccak256', 'sha256'] as const;
/** Hash function of a model's commitments. */
export type HashName = (typeof HASHES)[number];

/** Bytes of a hash and of a chunk. */
export const WORD = 32;

/** The first byte of what is hashed: a leaf, an inner node, a header, a receipt. */
export const TAG = { leaf: 0, node: 1, header: 2, receipt: 3 } as const;

/** Hash of one byte string. */
export type HashFn = (bytes: Uint8Array) => Uint8Array;

const FUNCTIONS: Readonly<Record<HashName, HashFn>> = { keccak256, sha256: digestOf };

/** The function of a name. */
export function hashFunction(name: HashName): HashFn {
  if (!HASHES.includes(name)) throw new TypeError(`hash is ${HASHES.join(' or ')}`);
  return FUNCTIONS[name];
}

/** H(tag ‖ data). */
export function tagged(hash: HashName, tag: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + data.length);
  bytes[0] = tag;
  bytes.set(data, 1);
  return hashFunction(hash)(bytes);
}

/** H(0 ‖ data): the leaf of a byte string. */
export function leafHash(hash: HashName, data: Uint8Array): Uint8Array {
  return tagged(hash, TAG.leaf, data);
}

/** Depth of a tree of `count` leaves: ⌈log2 count⌉, 0 for none or one. */
export function depthOf(count: number): number {
  let depth = 0;
  while (2 ** depth < count) depth++;
  return depth;
}

/** Levels of a tree, leaves first, each without its padding; the last level is the root. */
export interface Tree {
  readonly hash: HashName;
  /** Leaves. */
  readonly count: number;
  readonly levels: readonly Uint8Array[];
  readonly root: Uint8Array;
}

const PADDING: Record<HashName, Uint8Array[]> = { keccak256: [], sha256: [] };

/** Root of a subtree of height `height` without leaves: 32 zero bytes at height 0. */
export function emptyRoot(hash: HashName, height: number): Uint8Array {
  const known = PADDING[hash];
  while (known.length <= height) {
    const below = known[known.length - 1];
    known.push(below === undefined ? new Uint8Array(WORD) : nodeHash(hash, below, below));
  }
  return known[height]!;
}

/** H(1 ‖ left ‖ right). */
export function nodeHash(hash: HashName, left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * WORD);
  bytes[0] = TAG.node;
  bytes.set(left, 1);
  bytes.set(right, 1 + WORD);
  return hashFunction(hash)(bytes);
}

/** Word `i` of a row of words; padding behind its end. */
function wordAt(hash: HashName, level: Uint8Array, height: number, i: number): Uint8Array {
  return (i + 1) * WORD <= level.length ? level.subarray(i * WORD, (i + 1) * WORD) : emptyRoot(hash, height);
}

/** The tree over leaf hashes, padded with 32 zero bytes to a power of two. */
export function treeOver(hash: HashName, leaves: readonly Uint8Array[]): Tree {
  const row = new Uint8Array(leaves.length * WORD);
  leaves.forEach((l, i) => row.set(l, i * WORD));
  return grow(hash, row);
}

/** The tree over the 32-byte chunks of `bytes`, the last one filled with zeros. */
export function treeOfChunks(hash: HashName, bytes: Uint8Array): Tree {
  const h = hashFunction(hash);
  const count = floorDiv(bytes.length + WORD - 1, WORD);
  const row = new Uint8Array(count * WORD);
  const buffer = new Uint8Array(1 + WORD);
  for (let i = 0; i < count; i++) {
    buffer.fill(0);
    buffer.set(bytes.subarray(i * WORD, (i + 1) * WORD), 1);
    row.set(h(buffer), i * WORD);
  }
  return grow(hash, row);
}

function grow(hash: HashName, leaves: Uint8Array): Tree {
  const h = hashFunction(hash);
  const count = floorDiv(leaves.length, WORD);
  const depth = depthOf(count);
  const levels = [leaves];
  const buffer = new Uint8Array(1 + 2 * WORD);
  buffer[0] = TAG.node;
  for (let height = 0; height < depth; height++) {
    const below = levels[height]!;
    const above = new Uint8Array(floorDiv(below.length + 2 * WORD - 1, 2 * WORD) * WORD);
    for (let i = 0; i * WORD < above.length; i++) {
      buffer.set(wordAt(hash, below, height, 2 * i), 1);
      buffer.set(wordAt(hash, below, height, 2 * i + 1), 1 + WORD);
      above.set(h(buffer), i * WORD);
    }
    levels.push(above);
  }
  return { hash, count, levels, root: wordAt(hash, levels[depth]!, depth, 0).slice() };
}

/** Hash of node `index` at `height` above the leaves. */
export function nodeAt(tree: Tree, height: number, index: number): Uint8Array {
  return wordAt(tree.hash, tree.levels[height]!, height, index);
}

/** Some leaves of a tree, and the hashes that lead from them to its root, from the leaves up and from left to right. */
export interface Opening {
  /** Strictly ascending. */
  readonly indices: readonly number[];
  readonly siblings: readonly Uint8Array[];
}

/** Opens the leaves `indices`, in any order; one twice is one. */
export function openLeaves(tree: Tree, indices: Iterable<number>): Opening {
  const sorted = [...new Set(indices)].sort((a, b) => a - b);
  const siblings: Uint8Array[] = [];
  climb(sorted, tree.levels.length - 1, (height, index) => siblings.push(nodeAt(tree, height, index)));
  return { indices: sorted, siblings };
}

/** Calls `missing` for each node that the known ones need beside them, level by level. */
function climb(indices: readonly number[], depth: number, missing: (height: number, index: number) => void): void {
  let known = indices;
  for (let height = 0; height < depth; height++) {
    const above: number[] = [];
    for (let i = 0; i < known.length; i++) {
      const index = known[i]!;
      if (index % 2 === 0 && known[i + 1] === index + 1) i++;
      else missing(height, index % 2 === 0 ? index + 1 : index - 1);
      above.push(floorDiv(index, 2));
    }
    known = above;
  }
}

/**
 * The root to which an opening leads; undefined where it is malformed: no index, one out of order or out of range, or a
 * wrong number of leaves or siblings.
 * @param depth of the tree: the verifier knows how many leaves it has
 */
export function rootOf(
  hash: HashName,
  depth: number,
  opening: Opening,
  leaves: readonly Uint8Array[],
): Uint8Array | undefined {
  const { indices, siblings } = opening;
  if (indices.length === 0 || leaves.length !== indices.length) return undefined;
  if (![...leaves, ...siblings].every((w) => w instanceof Uint8Array && w.length === WORD)) return undefined;
  const ordered = indices.every((v, i) => Number.isSafeInteger(v) && v >= 0 && (i === 0 || v > indices[i - 1]!));
  if (!ordered || indices[indices.length - 1]! >= 2 ** depth) return undefined;
  let known = indices.map((index, i) => ({ index, word: leaves[i]! }));
  let next = 0;
  for (let height = 0; height < depth; height++) {
    const above: typeof known = [];
    for (let i = 0; i < known.length; i++) {
      const { index, word } = known[i]!;
      const pair = index % 2 === 0 && known[i + 1]?.index === index + 1;
      const other = pair ? known[++i]!.word : siblings[next++];
      if (other === undefined) return undefined;
      const joined = index % 2 === 0 ? nodeHash(hash, word, other) : nodeHash(hash, other, word);
      above.push({ index: floorDiv(index, 2), word: joined });
    }
    known = above;
  }
  return next === siblings.length ? known[0]!.word : undefined;
}

/** Equal byte strings. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
