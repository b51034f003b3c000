/**
 * The integer graph: what an `.sbm` file holds, before and after validation (spec/20-format.md §2).
 * @module
 */
import type { CostVector } from '../core/cost.ts';
import type { Dim, SymbolDecl } from '../core/dim.ts';
import type { DType, TypedArray } from '../core/tensor.ts';
import type { Facts, TensorType } from '../ops/define.ts';
import type { OpName } from '../ops/index.ts';

/** A scale as an exact binary rational: mantissa · 2^exponent, mantissa odd and 0 < mantissa < 2^53. Metadata only. */
export interface Scale {
  readonly mantissa: number;
  readonly exponent: number;
}

/** A model input: raw values in lo…hi; real value = (q − zp)·scale. `u8`: the caller's bytes are q + 128. */
export interface InputDecl {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly zp: number;
  readonly lo: Dim;
  readonly hi: Dim;
  readonly scale?: Scale | undefined;
  readonly u8?: boolean | undefined;
}

/** A model output: a tensor under a name. */
export interface OutputDecl {
  readonly name: string;
  readonly tensor: number;
  readonly scale?: Scale | undefined;
  readonly u8?: boolean | undefined;
}

/** A constant tensor; static shape; i4 packed two a byte, low nibble first, odd filler 0. */
export interface Constant {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly zp: number;
  readonly data: TypedArray;
}

/** A state pair: the input and the output (by position) that a run replaces together. */
export interface StatePair {
  readonly input: number;
  readonly output: number;
}

/** One node. `inputs` are tensor ids in operand order, −1 for an absent optional operand; trailing absent ones are left off. */
export interface Node {
  readonly op: OpName;
  readonly inputs: readonly number[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/**
 * An ordered graph. Tensor ids are dense: inputs first, then constants, then the outputs of each node in order.
 * Constants stand in order of their first use.
 */
export interface Graph {
  readonly symbols: readonly SymbolDecl[];
  readonly inputs: readonly InputDecl[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly OutputDecl[];
  readonly states: readonly StatePair[];
}

/** What validation proved of one node. */
export interface NodeInfo {
  readonly facts: Facts;
  readonly cost: CostVector;
  /** Tensor ids of its outputs. */
  readonly outputs: readonly number[];
}

/** A validated model. */
export interface Model extends Graph {
  /** sha256("samebit/model/1" ‖ bytes). */
  readonly id: Uint8Array;
  /** Length of the canonical bytes. */
  readonly byteLength: number;
  /** Type of every tensor by id. */
  readonly tensors: readonly TensorType[];
  readonly info: readonly NodeInfo[];
  /** Sum over all nodes. */
  readonly cost: CostVector;
}
