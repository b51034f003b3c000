/**
 * The moves of a dispute (contracts/Dispute.sol): what each party does next, from the state of the chain and his own trace.
 * @module
 */

import { BITS, type Goal, termsOf } from '../consensus/cell.ts';
import { type Commitment, STEPS } from '../consensus/commitment.ts';
import { computeElement, proveElement, readsOf, type Statement } from '../consensus/element.ts';
import type { Header } from '../consensus/header.ts';
import { signatureWords } from '../consensus/header.ts';
import { leafHash, nodeAt, openLeaves, type Tree, treeOver, WORD } from '../consensus/merkle.ts';
import { type Trace, traceBytes } from '../consensus/trace.ts';
import { floorDiv } from '../core/int.ts';
import { beforeAgain, ClaimedTrace, type History, LEVELS, lastRevealed, lastSums, walksBack } from './claimed.ts';
import { type Hex, type SolidityProof, solidityProof, solidityStatement, toHex } from './proof.ts';
import { tileOf } from './rules.ts';

/** Phases of a game in the order of the contract. */
export const PHASES = [
  'none',
  'children',
  'choice',
  'root',
  'chunk',
  'element',
  'sums',
  'sumChoice',
  'tile',
  'output',
  'done',
] as const;
/** Phase of a game. */
export type Phase = (typeof PHASES)[number];

/** Most sums of one reveal. */
const FAN = 8;

/** A game as `getGame` gives it. */
export interface Game {
  readonly claim: bigint;
  readonly challenger: Hex;
  readonly deadline: bigint;
  readonly phase: number;
  readonly inTensor: boolean;
  readonly height: number;
  readonly combine: number;
  readonly tile: number;
  readonly bits: number;
  readonly tensor: number;
  readonly index: bigint;
  readonly count: bigint;
  readonly element: bigint;
  readonly from: bigint;
  readonly to: bigint;
  readonly descents: number;
  readonly node: Hex;
  readonly pending: Hex;
  readonly total: bigint;
}

/** A call of the contract. */
export interface Move {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What a party knows: the header, and its own trace of the run. */
export interface Knowledge {
  readonly header: Header;
  readonly trace: Trace;
  /** Root of the claimed trace. */
  readonly traceRoot: Uint8Array;
}

function statementOf({ header, trace, traceRoot }: Knowledge): Statement {
  return {
    hash: header.hash,
    modelRoot: header.modelRoot,
    nodes: header.nodes,
    traceRoot,
    traceLength: header.traceLength,
    dims: trace.plan.dims,
  };
}

const NO_PROOF: SolidityProof = {
  index: 0n,
  element: 0n,
  node: 0n,
  leaf: '0x',
  path: [],
  tensors: [],
  rootSiblings: [],
};

/** Hashes below node `index` at `height`, at most three levels down. */
function below(tree: Tree, height: number, index: number): Uint8Array[] {
  const levels = Math.min(LEVELS, height);
  return Array.from({ length: 2 ** levels }, (_, i) => nodeAt(tree, height - levels, index * 2 ** levels + i));
}

function leafOf(c: Commitment, tensor: number): { node: bigint; leaf: Hex; path: Hex[] } {
  const { node } = c.trace[tensor]!;
  const path = openLeaves(c.tree, [node]).siblings.map(toHex);
  return { node: BigInt(node), leaf: toHex(c.leaves[node]!), path };
}

/** Bounds of the parts into which a range is split: whole tiles, at most eight parts. */
export function splits(from: number, to: number, tile: number): readonly (readonly [from: number, to: number])[] {
  const tiles = floorDiv(to - from + tile - 1, tile);
  const stride = floorDiv(tiles + FAN - 1, FAN) * tile;
  const parts: [number, number][] = [];
  for (let at = from; at < to; at += stride) parts.push([at, Math.min(at + stride, to)]);
  return parts;
}

/** The next move of the party that claimed the run, or undefined where it is not his. */
export function asserterMove(id: bigint, game: Game, known: Knowledge): Move | undefined {
  const { trace } = known;
  const { commitment: c } = trace;
  const dims = trace.plan.dims.map(BigInt);
  const index = Number(game.index);
  switch (PHASES[game.phase]) {
    case 'children': {
      const tree = game.inTensor ? trace.tensorTree(game.tensor) : trace.tree;
      return { name: 'reveal', args: [id, below(tree, game.height, index).map(toHex)] };
    }
    case 'root': {
      const root = toHex(trace.tensorTree(index).root);
      if (index >= c.model.inputs.length) {
        const { node, leaf, path } = leafOf(c, index);
        return { name: 'revealRoot', args: [id, root, node, leaf, path, dims] };
      }
      const inputs = treeOver(
        c.hash,
        c.model.inputs.map((_, i) => leafHash(c.hash, trace.tensorTree(i).root)),
      );
      const path = openLeaves(inputs, [index]).siblings.map(toHex);
      return { name: 'revealRoot', args: [id, root, 0n, '0x', path, dims] };
    }
    case 'chunk':
      return { name: 'revealChunk', args: [id, toHex(chunkOf(trace, game.tensor, index))] };
    case 'sums':
      return sumsMove(id, game, known);
    case 'output':
      return outputMove(id, index, known);
    default:
      return undefined;
  }
}

/** Chunk `index` of a tensor. */
function chunkOf(trace: Trace, tensor: number, index: number): Uint8Array {
  const chunk = new Uint8Array(WORD);
  chunk.set(traceBytes(trace.tensor(tensor)).subarray(index * WORD, (index + 1) * WORD));
  return chunk;
}

function sumsMove(id: bigint, game: Game, known: Knowledge): Move {
  const { trace } = known;
  const element = Number(game.element);
  const [from, to] = [Number(game.from), Number(game.to)];
  const claim = trace.tensor(game.tensor).data[element]!;
  const sums = splits(from, to, game.tile).map(([a, b]) =>
    BigInt(computeElement(trace, game.tensor, element, { kind: 'part', from: a, to: b, claim })),
  );
  const statement = solidityStatement(statementOf(known));
  if (BigInt(game.pending) !== 1n) return { name: 'postSums', args: [id, statement, NO_PROOF, sums] };
  const total = computeElement(trace, game.tensor, element, { kind: 'part', from, to, claim });
  const proof = proveElement(trace, game.tensor, element, { kind: 'finish', total, claim });
  return { name: 'postSums', args: [id, statement, solidityProof(proof), sums] };
}

function outputMove(id: bigint, j: number, { trace }: Knowledge): Move {
  const { commitment: c, plan } = trace;
  const words = signatureWords(c);
  const signature = treeOver(
    c.hash,
    words.map((w) => leafHash(c.hash, w)),
  );
  const roots = plan.outputs.map((t) => trace.tensorTree(c.traceIndex.get(t)!).root);
  const outputs = treeOver(
    c.hash,
    roots.map((r) => leafHash(c.hash, r)),
  );
  const at = c.model.inputs.length + j;
  const index = c.traceIndex.get(plan.outputs[j]!)!;
  const path = (tree: Tree, i: number): Hex[] => openLeaves(tree, [i]).siblings.map(toHex);
  return {
    name: 'showOutput',
    args: [id, toHex(words[at]!), path(signature, at), toHex(roots[j]!), path(outputs, j), path(trace.tree, index)],
  };
}

/** The first place at which two lists of hashes differ, or the last; 0 where they do not. */
function difference(claimed: readonly Hex[], own: readonly Uint8Array[], fromEnd: boolean): number {
  const other = (h: Hex, i: number): boolean => h.toLowerCase() !== toHex(own[i]!);
  return Math.max(0, fromEnd ? claimed.findLastIndex(other) : claimed.findIndex(other));
}

/** The next move of the challenger, or undefined where it is not his. */
export function challengerMove(id: bigint, game: Game, history: History, known: Knowledge): Move | undefined {
  const { trace } = known;
  const element = Number(game.element);
  switch (PHASES[game.phase]) {
    case 'choice': {
      const claimed = lastRevealed(history);
      return { name: 'choose', args: [id, claimed, choiceOf(game, claimed, history, trace)] };
    }
    case 'element':
      return elementMove(id, game, history, known);
    case 'sumChoice': {
      const claim = claimedElement(trace, history, element);
      const own = splits(Number(game.from), Number(game.to), game.tile).map(([from, to]) =>
        BigInt(computeElement(trace, game.tensor, element, { kind: 'part', from, to, claim })),
      );
      const sums = lastSums(history);
      const which = sums.findIndex((v, i) => v !== own[i]);
      return { name: 'chooseSum', args: [id, sums, Math.max(0, which)] };
    }
    case 'tile': {
      const goal: Goal = { kind: 'part', from: Number(game.from), to: Number(game.to) };
      return { name: 'provePart', args: [id, ...proofArgs(game, element, goal, history, known), game.from, game.to] };
    }
    default:
      return undefined;
  }
}

/** Which of the revealed hashes to go on with: towards the tensor that is looked for, else to the difference. */
function choiceOf(game: Game, claimed: readonly Hex[], history: History, trace: Trace): number {
  const index = Number(game.index);
  if (game.inTensor)
    return difference(claimed, below(trace.tensorTree(game.tensor), game.height, index), walksBack(trace, game.tensor));
  const before = beforeAgain(history);
  const target = before && nextOf(trace, new ClaimedTrace(trace, before));
  if (target?.kind !== 'tensor') return difference(claimed, below(trace.tree, game.height, index), false);
  return floorDiv(target.tensor, 2 ** (game.height - Math.min(LEVELS, game.height))) - index * claimed.length;
}

/** What to do with an opened chunk: to prove an element of it, or to open another tensor that the element follows from. */
type Next =
  | { readonly kind: 'element'; readonly element: number }
  | { readonly kind: 'tensor'; readonly tensor: number };

/** What follows from the chunk of the last descent; undefined where it is as it must be. */
function nextOf(trace: Trace, claimed: ClaimedTrace): Next | undefined {
  if (claimed.last === undefined) return undefined;
  const { tensor, chunk, bytes } = claimed.last;
  const { commitment: c } = trace;
  const own = chunkOf(trace, tensor, chunk);
  const other = (b: number, i: number): boolean => b !== bytes[i];
  const byte = walksBack(trace, tensor) ? own.findLastIndex(other) : own.findIndex(other);
  if (byte < 0) return undefined;
  const { node, dtype } = c.trace[tensor]!;
  const element = floorDiv(chunk * 8 * WORD + 8 * byte, BITS[dtype]);
  // Only recurrent ops read what stands behind them in the trace; all before it agrees.
  const first = c.firstStep[node]!;
  const recurrent = STEPS[c.model.nodes[node]!.op].steps.some((s) => s.scan);
  if (!recurrent || element >= trace.tensor(tensor).data.length) return { kind: 'element', element };
  const doubtful = readsOf(trace, tensor, element).find(
    (r) => r.tensor >= first && r.tensor !== tensor && !claimed.agrees(r.tensor, r.at),
  );
  return doubtful === undefined ? { kind: 'element', element } : { kind: 'tensor', tensor: doubtful.tensor };
}

/** A proof that an element of the revealed chunk is wrong; none where the chunk is as it must be. */
function elementMove(id: bigint, game: Game, history: History, known: Knowledge): Move | undefined {
  const { trace } = known;
  const { commitment: c, plan } = trace;
  const next = nextOf(trace, new ClaimedTrace(trace, history));
  if (next === undefined) return undefined;
  if (next.kind === 'tensor') return { name: 'again', args: [id] };
  const { element } = next;
  if (element >= Number(game.count)) return { name: 'provePadding', args: [id] };
  const { count } = termsOf(c, game.tensor, element, plan.dims);
  if (count <= tileOf(c, game.tensor))
    return { name: 'prove', args: [id, ...proofArgs(game, element, { kind: 'whole' }, history, known)] };
  const { node, leaf, path } = leafOf(c, game.tensor);
  return { name: 'contest', args: [id, BigInt(element), node, leaf, path, plan.dims.map(BigInt)] };
}

/** An element of the chunk under dispute as it is claimed. */
function claimedElement(trace: Trace, history: History, element: number): number {
  const claimed = new ClaimedTrace(trace, history);
  return claimed.tensor(claimed.last!.tensor).data[element]!;
}

function proofArgs(game: Game, element: number, goal: Goal, history: History, known: Knowledge): readonly unknown[] {
  const claimed = new ClaimedTrace(known.trace, history);
  const claim = claimed.tensor(game.tensor).data[element]!;
  const proof = proveElement(claimed, game.tensor, element, { ...goal, claim });
  return [solidityStatement(statementOf(known)), solidityProof(proof)];
}
