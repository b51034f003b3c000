/**
 * The moves of a dispute (contracts/Dispute.sol): what each party does next, from the state of the chain and his own trace.
 * @module
 */

import { type Goal, termsOf } from '../consensus/cell.ts';
import type { Commitment } from '../consensus/commitment.ts';
import { computeElement, proveElement, type Statement } from '../consensus/element.ts';
import type { Header } from '../consensus/header.ts';
import { signatureWords } from '../consensus/header.ts';
import { emptyRoot, leafHash, nodeAt, nodeHash, openLeaves, type Tree, treeOver, WORD } from '../consensus/merkle.ts';
import { type Trace, traceBytes } from '../consensus/trace.ts';
import { floorDiv } from '../core/int.ts';
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

/** Most sums of one reveal; levels of one reveal. */
const [FAN, LEVELS] = [8, 3];

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
  readonly node: Hex;
  readonly pending: Hex;
  readonly total: bigint;
}

/** What the events of a game tell beside its state: hashes revealed and chosen, in order, and the last sums. */
export interface History {
  readonly reveals: readonly (readonly Hex[])[];
  readonly choices: readonly number[];
  readonly sums: readonly bigint[];
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
  const sums = splits(from, to, game.tile).map(([a, b]) =>
    BigInt(computeElement(trace, game.tensor, element, { kind: 'part', from: a, to: b })),
  );
  const statement = solidityStatement(statementOf(known));
  if (BigInt(game.pending) !== 1n) return { name: 'postSums', args: [id, statement, NO_PROOF, sums] };
  const total = computeElement(trace, game.tensor, element, { kind: 'part', from, to });
  const proof = proveElement(trace, game.tensor, element, { kind: 'finish', total });
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

/** The first place at which two lists of hashes differ; 0 where they do not. */
function firstDifference(claimed: readonly Hex[], own: readonly Uint8Array[]): number {
  return Math.max(
    0,
    claimed.findIndex((h, i) => h.toLowerCase() !== toHex(own[i]!)),
  );
}

/** The next move of the challenger, or undefined where it is not his. */
export function challengerMove(id: bigint, game: Game, history: History, known: Knowledge): Move | undefined {
  const { trace } = known;
  const index = Number(game.index);
  switch (PHASES[game.phase]) {
    case 'choice': {
      const claimed = history.reveals[history.reveals.length - 1]!;
      const tree = game.inTensor ? trace.tensorTree(game.tensor) : trace.tree;
      return { name: 'choose', args: [id, claimed, firstDifference(claimed, below(tree, game.height, index))] };
    }
    case 'element':
      return elementMove(id, game, history, known);
    case 'sumChoice': {
      const parts = splits(Number(game.from), Number(game.to), game.tile);
      const own = parts.map(([from, to]) =>
        BigInt(computeElement(trace, game.tensor, Number(game.element), { kind: 'part', from, to })),
      );
      const which = Math.max(
        0,
        history.sums.findIndex((v, i) => v !== own[i]),
      );
      return { name: 'chooseSum', args: [id, history.sums, which] };
    }
    case 'tile': {
      const goal: Goal = { kind: 'part', from: Number(game.from), to: Number(game.to) };
      return {
        name: 'provePart',
        args: [id, ...proofArgs(game, Number(game.element), goal, history, known), game.from, game.to],
      };
    }
    default:
      return undefined;
  }
}

/** A proof that an element of the revealed chunk is wrong; none where the chunk is as it must be. */
function elementMove(id: bigint, game: Game, history: History, known: Knowledge): Move | undefined {
  const { trace } = known;
  const bytes = chunkOf(trace, game.tensor, Number(game.index));
  const claimed = BigInt(game.node);
  const byte = bytes.findIndex((b, i) => b !== Number((claimed >> BigInt(8 * (WORD - 1 - i))) & 255n));
  if (byte < 0) return undefined;
  const element = floorDiv(Number(game.index) * 8 * WORD + 8 * byte, game.bits);
  if (element >= Number(game.count)) return { name: 'provePadding', args: [id] };
  const { count } = termsOf(trace.commitment, game.tensor, element, trace.plan.dims);
  if (count <= tileOf(trace.commitment, game.tensor))
    return { name: 'prove', args: [id, ...proofArgs(game, element, { kind: 'whole' }, history, known)] };
  const { node, leaf, path } = leafOf(trace.commitment, game.tensor);
  return { name: 'contest', args: [id, BigInt(element), node, leaf, path, trace.plan.dims.map(BigInt)] };
}

function proofArgs(game: Game, element: number, goal: Goal, history: History, known: Knowledge): readonly unknown[] {
  const tree = claimedTree(known, history);
  const proof = proveElement(known.trace, game.tensor, element, goal, tree);
  return [solidityStatement(statementOf(known)), solidityProof(proof)];
}

/**
 * The tree of the claimed trace, as far as it is known: left of the first difference it is the challenger's own, and what is
 * right of it on the way up was revealed.
 */
function claimedTree({ trace }: Knowledge, history: History): Tree {
  const { tree } = trace;
  const depth = tree.levels.length - 1;
  const levels = tree.levels.map((l, h) => whole(tree.hash, l, h, 2 ** (depth - h)));
  let [height, index] = [depth, 0];
  for (let i = 0; height > 0; i++) {
    const step = Math.min(LEVELS, height);
    const words = history.reveals[i]!.map(fromHex);
    setNodes(tree.hash, levels, height, index, words);
    index = index * 2 ** step + history.choices[i]!;
    height -= step;
  }
  return { ...tree, levels };
}

/** A level with its filling. */
function whole(hash: Tree['hash'], level: Uint8Array, height: number, count: number): Uint8Array {
  const row = new Uint8Array(count * WORD);
  for (let i = 0; i < count; i++) row.set(emptyRoot(hash, height), i * WORD);
  row.set(level);
  return row;
}

function fromHex(h: Hex): Uint8Array {
  return Uint8Array.from({ length: WORD }, (_, i) => Number.parseInt(h.slice(2 + 2 * i, 4 + 2 * i), 16));
}

/** Puts revealed words and what follows from them below node `index` at `height`. */
function setNodes(
  hash: Tree['hash'],
  levels: readonly Uint8Array[],
  height: number,
  index: number,
  words: readonly Uint8Array[],
): void {
  let row = words;
  for (let down = Math.min(LEVELS, height); down > 0; down--) {
    const level = levels[height - down]!;
    row.forEach((w, i) => {
      level.set(w, (index * 2 ** down + i) * WORD);
    });
    row = Array.from({ length: floorDiv(row.length, 2) }, (_, i) => nodeHash(hash, row[2 * i]!, row[2 * i + 1]!));
  }
}
