/**
 * Limits of the specification: constants of the spec version, and the only limits that make a ModelError
 * (spec/20-format.md §4). A caller's own tighter limits make a HostError.
 * @module
 */

/** The spec version this code implements. */
export const SPEC_VERSION = 1;

/** Constants of spec version 1. */
export const LIMITS = {
  /** Bytes of a file, exclusive. */
  fileBytes: 2147483648,
  /** Bytes of constants plus peak of activations at the symbols’ maxima, exclusive. */
  memoryBytes: 2147483648,
  symbols: 4,
  inputs: 4096,
  outputs: 4096,
  nodes: 65536,
  constants: 262144,
  nodeInputs: 64,
  rank: 8,
  /** Elements of a tensor. */
  elements: 1073741824,
  /** Greatest dim and greatest value of a symbol. */
  dim: 1073741824,
  /** UTF-8 bytes of a name. */
  nameBytes: 256,
  attrs: 16,
  /** Entries of an integer list attribute. */
  attrInts: 64,
  /** Greatest |k| of an affine dim. */
  coefficient: 1048576,
  /** Schedule-1 price 4·gas at the maxima, exclusive. */
  price: 9007199254740992n,
  /** Total degree of a cost polynomial. */
  degree: 6,
  /** Greatest |exponent| of a scale. */
  scaleExponent: 2000,
} as const;

/** A caller's own limits; each may only be tighter than the specification's. */
export interface LocalLimits {
  readonly fileBytes?: number;
  readonly memoryBytes?: number;
  readonly nodes?: number;
  /** Greatest gas at the symbols' maxima, schedule 1. */
  readonly gas?: bigint;
}
