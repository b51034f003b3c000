/**
 * What a challenger knows of the trace that is claimed: his own, and the hashes and chunks that the asserter revealed.
 * @module
 */
import { BITS } from '../consensus/cell.ts';
import { STEPS } from '../consensus/commitment.ts';
import { emptyRoot, nodeAt, nodeHash, sameBytes, type Tree, WORD } from '../consensus/merkle.ts';
import { Trace, type TraceTensor, traceBytes } from '../consensus/trace.ts';
import { floorDiv } from '../core/int.ts';
import type { Hex } from './proof.ts';

/** An event of the dispute contract. */
export interface GameEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The events of one game in order. */
export type History = readonly GameEvent[];

/** Levels of one reveal. */
export const LEVELS = 3;

/** One way down from the trace root: hashes revealed and chosen, then the root of the tensor and its chunk. */
interface Descent {
  readonly reveals: (readonly Hex[])[];
  readonly choices: number[];
  readonly opened: Hex[];
}

/** The descents of a game, the last one perhaps unfinished. */
function descentsOf(history: History): Descent[] {
  const descents: Descent[] = [{ reveals: [], choices: [], opened: [] }];
  for (const { name, args } of history) {
    const last = descents[descents.length - 1]!;
    if (name === 'Again') descents.push({ reveals: [], choices: [], opened: [] });
    if (name === 'Revealed') last.reveals.push(args['children'] as readonly Hex[]);
    if (name === 'Chosen' && last.opened.length < 2) last.choices.push(Number(args['which']));
    if (name === 'Opened') last.opened.push(args['word'] as Hex);
  }
  return descents;
}

/** The hashes of the last reveal. */
export function lastRevealed(history: History): readonly Hex[] {
  return history.filter((e) => e.name === 'Revealed').pop()!.args['children'] as readonly Hex[];
}

/** The sums of the last split. */
export function lastSums(history: History): readonly bigint[] {
  return history.filter((e) => e.name === 'Summed').pop()!.args['sums'] as readonly bigint[];
}

/** The history before the descent that is going on; undefined if it is the first. */
export function beforeAgain(history: History): History | undefined {
  const at = history.map((e) => e.name).lastIndexOf('Again');
  return at < 0 ? undefined : history.slice(0, at);
}

/** The bytes of a word. */
export function fromHex(h: Hex): Uint8Array {
  return Uint8Array.from({ length: WORD }, (_, i) => Number.parseInt(h.slice(2 + 2 * i, 4 + 2 * i), 16));
}

/** A chunk at which a tensor was opened. */
export interface Spot {
  readonly tensor: number;
  readonly chunk: number;
  readonly bytes: Uint8Array;
}

/**
 * The claimed trace as far as it is known. On the agreed side of a difference (before it; behind it where a recurrent op walks
 * from the end) it is the challenger's own; what lies on the other side of the way down was revealed.
 */
export class ClaimedTrace extends Trace {
  /** The chunk at which the last finished descent arrived. */
  readonly last: Spot | undefined;
  readonly #own: Trace;
  readonly #tree: Tree;
  readonly #seen = new Set<string>();
  readonly #trees = new Map<number, Tree>();
  readonly #spots = new Map<number, Spot>();

  constructor(own: Trace, history: History) {
    super(own.commitment, own.plan, new Map());
    this.#own = own;
    this.#tree = padded(own.tree);
    for (const descent of descentsOf(history)) {
      const rest = this.#walk(this.#tree, descent, 0, (height, index) => this.#seen.add(`${height}/${index}`));
      if (rest === undefined || descent.opened.length === 0 || rest.index >= own.length) continue;
      const tensor = rest.index;
      const tree = this.#trees.get(tensor) ?? { ...padded(own.tensorTree(tensor)), root: fromHex(descent.opened[0]!) };
      this.#trees.set(tensor, tree);
      const end = this.#walk(tree, descent, rest.used);
      if (end === undefined || descent.opened.length < 2) continue;
      this.last = { tensor, chunk: end.index, bytes: fromHex(descent.opened[1]!) };
      this.#spots.set(tensor, this.last);
    }
  }

  override tensor(index: number): TraceTensor {
    const own = this.#own.tensor(index);
    const spot = this.#spots.get(index);
    return spot === undefined ? own : patched(own, spot);
  }

  override tensorTree(index: number): Tree {
    return this.#trees.get(index) ?? this.#own.tensorTree(index);
  }

  override get tree(): Tree {
    return this.#tree;
  }

  /** True if element `at` of tensor `tensor` is known to be claimed as the challenger has it. */
  agrees(tensor: number, at: number): boolean {
    if (this.#same(tensor)) return true;
    const spot = this.#spots.get(tensor);
    if (spot === undefined) return false;
    const chunk = floorDiv(at * BITS[this.commitment.trace[tensor]!.dtype], 8 * WORD);
    if (chunk === spot.chunk) return this.tensor(tensor).data[at] === this.#own.tensor(tensor).data[at];
    return chunk < spot.chunk !== walksBack(this, tensor);
  }

  /** True if the root of a tensor is known to be the challenger's: that of the lowest revealed node above it is. */
  #same(tensor: number): boolean {
    for (let height = 0; height < this.#tree.levels.length; height++) {
      const index = floorDiv(tensor, 2 ** height);
      if (!this.#seen.has(`${height}/${index}`)) continue;
      return sameBytes(nodeAt(this.#tree, height, index), nodeAt(this.#own.tree, height, index));
    }
    return false;
  }

  /** Follows a descent from reveal `used` on down a tree, putting into it what was revealed; the leaf, if it came so far. */
  #walk(
    tree: Tree,
    { reveals, choices }: Descent,
    used: number,
    seen: (height: number, index: number) => void = () => {},
  ): { readonly index: number; readonly used: number } | undefined {
    let [height, index, i] = [tree.levels.length - 1, 0, used];
    for (; height > 0; i++) {
      const [words, which] = [reveals[i], choices[i]];
      if (words === undefined) return undefined;
      setNodes(tree, height, index, words.map(fromHex), seen);
      if (which === undefined) return undefined;
      index = index * words.length + which;
      height -= Math.min(LEVELS, height);
    }
    return { index, used: i };
  }
}

/** True if a tensor belongs to a recurrent op that walks from the end: its earliest time is the last on axis 0. */
export function walksBack(trace: Trace, tensor: number): boolean {
  const { node, step } = trace.commitment.trace[tensor]!;
  if (node < 0) return false;
  const { op, attrs } = trace.commitment.model.nodes[node]!;
  const reference = STEPS[op];
  return reference.steps[step]!.scan === true && reference.reversed?.(attrs as never) === true;
}

/** A tree whose levels hold their filling, and may be written to. */
function padded(tree: Tree): Tree {
  const depth = tree.levels.length - 1;
  const levels = tree.levels.map((level, height) => {
    const row = new Uint8Array(2 ** (depth - height) * WORD);
    for (let i = level.length; i < row.length; i += WORD) row.set(emptyRoot(tree.hash, height), i);
    row.set(level);
    return row;
  });
  return { ...tree, levels };
}

/** Puts revealed words and what follows from them below node `index` at `height`. */
function setNodes(
  { hash, levels }: Tree,
  height: number,
  index: number,
  words: readonly Uint8Array[],
  seen: (height: number, index: number) => void,
): void {
  let row = words;
  for (let down = Math.min(LEVELS, height); down > 0; down--) {
    const level = levels[height - down]!;
    row.forEach((w, i) => {
      level.set(w, (index * 2 ** down + i) * WORD);
      seen(height - down, index * 2 ** down + i);
    });
    row = Array.from({ length: floorDiv(row.length, 2) }, (_, i) => nodeHash(hash, row[2 * i]!, row[2 * i + 1]!));
  }
}

/** A tensor with another chunk. */
function patched(own: TraceTensor, { chunk, bytes }: Spot): TraceTensor {
  const all = traceBytes(own).slice();
  all.set(bytes.subarray(0, Math.max(0, all.length - chunk * WORD)), chunk * WORD);
  const view = new DataView(all.buffer);
  const each = floorDiv(all.length, own.data.length);
  const at = (i: number): number => {
    if (each === 1) return view.getInt8(i);
    if (each === 2) return view.getInt16(2 * i, true);
    return each === 4 ? view.getInt32(4 * i, true) : Number(view.getBigInt64(8 * i, true));
  };
  return { shape: own.shape, data: own.data.map((_, i) => at(i)) as TraceTensor['data'] };
}
