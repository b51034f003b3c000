/**
 * Proofs as the contracts take them (contracts/Types.sol).
 * @module
 */
import type { ElementProof, Statement, TensorOpening } from '../consensus/element.ts';
import { decodeLeaf } from '../consensus/leaf.ts';
import { WORD } from '../consensus/merkle.ts';
import { hex } from '../core/digest.ts';

/** 0x and hexadecimal digits. */
export type Hex = `0x${string}`;

/** `Statement` of the contracts. */
export interface SolidityStatement {
  readonly modelRoot: Hex;
  readonly traceRoot: Hex;
  readonly nodes: bigint;
  readonly traceLength: bigint;
  readonly dims: readonly bigint[];
}

/** `Opening` of the contracts. */
export interface SolidityOpening {
  readonly key: bigint;
  readonly root: Hex;
  readonly indices: readonly bigint[];
  readonly chunks: readonly Hex[];
  readonly siblings: readonly Hex[];
}

/** `Proof` of the contracts. */
export interface SolidityProof {
  readonly index: bigint;
  readonly element: bigint;
  readonly node: bigint;
  readonly leaf: Hex;
  readonly path: readonly Hex[];
  readonly tensors: readonly SolidityOpening[];
  readonly rootSiblings: readonly Hex[];
}

/** Key of the first vector of a leaf, and of tensor 0 of a trace. */
const [VECTOR, TRACE] = [128, 256];
const ZERO: Hex = `0x${'00'.repeat(WORD)}`;

/** Bytes as 0x and hexadecimal digits. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${hex(bytes)}`;
}

/** Words of a byte string. */
export function wordsOf(bytes: Uint8Array): Hex[] {
  const words: Hex[] = [];
  for (let i = 0; i < bytes.length; i += WORD) words.push(toHex(bytes.subarray(i, i + WORD)));
  return words;
}

/** A statement for the contracts; they know keccak256 only. */
export function solidityStatement(s: Statement): SolidityStatement {
  if (s.hash !== 'keccak256') throw new TypeError('the contracts settle models committed under keccak256');
  return {
    modelRoot: toHex(s.modelRoot),
    traceRoot: toHex(s.traceRoot),
    nodes: BigInt(s.nodes),
    traceLength: BigInt(s.traceLength),
    dims: s.dims.map(BigInt),
  };
}

/** A proof for the contracts: tensors by ascending key. */
export function solidityProof(p: ElementProof): SolidityProof {
  const vectors = Object.keys(decodeLeaf(p.leaf).vectors);
  const keyOf = ({ read }: TensorOpening): number =>
    read.kind === 'trace'
      ? TRACE + read.index
      : read.kind === 'constant'
        ? read.operand
        : VECTOR + vectors.indexOf(read.name);
  const tensors = p.tensors.map((t) => ({ t, key: keyOf(t) })).sort((a, b) => a.key - b.key);
  return {
    index: BigInt(p.index),
    element: BigInt(p.element),
    node: BigInt(p.node),
    leaf: toHex(p.leaf),
    path: p.path.map(toHex),
    tensors: tensors.map(({ t, key }) => ({
      key: BigInt(key),
      root: t.root === undefined ? ZERO : toHex(t.root),
      indices: t.indices.map(BigInt),
      chunks: wordsOf(t.chunks),
      siblings: t.siblings.map(toHex),
    })),
    rootSiblings: (p.roots?.siblings ?? []).map(toHex),
  };
}
