/**
 * Commitments, receipts and proofs for consensus systems (spec/40-consensus.md).
 * @module
 */

export { type Goal, ProofError, type Read, termsOf } from './consensus/cell.ts';
export { type Commitment, commit, type TraceEntry } from './consensus/commitment.ts';
export {
  computeElement,
  type ElementProof,
  proveElement,
  type Statement,
  type TensorOpening,
  verifyElement,
} from './consensus/element.ts';
export {
  CONSENSUS_VERSION,
  costAt,
  decodeHeader,
  decodeReceipt,
  encodeHeader,
  encodeReceipt,
  type Header,
  headerGas,
  headerHash,
  headerOf,
  provesHeader,
  type Receipt,
  receiptHash,
  receiptOf,
} from './consensus/header.ts';
export {
  decodeLeaf,
  encodeLeaf,
  type LeafOperand,
  type LeafStep,
  type LeafVector,
  type NodeLeaf,
} from './consensus/leaf.ts';
export {
  HASHES,
  type HashName,
  type Opening,
  openLeaves,
  rootOf,
  type Tree,
  treeOfChunks,
  treeOver,
} from './consensus/merkle.ts';
export { decodeSnapshot, encodeSnapshot } from './consensus/snapshot.ts';
export { Trace, type TraceTensor, traceRun } from './consensus/trace.ts';
export type { Total } from './ops/define.ts';
