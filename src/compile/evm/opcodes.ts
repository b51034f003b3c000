/**
 * The opcodes that generated contracts use, with their stack effect and gas in the Shanghai fork (EIP-3855 added PUSH0).
 * Dynamic parts (memory, copies, cold accounts) are counted where they arise.
 * @module
 */

/** Byte, words taken, words left, gas. */
type Opcode = readonly [code: number, pops: number, pushes: number, gas: number];

/** Mnemonic of an opcode without an immediate. */
export type Mnemonic =
  | 'ADD'
  | 'MUL'
  | 'SUB'
  | 'DIV'
  | 'SIGNEXTEND'
  | 'LT'
  | 'GT'
  | 'SLT'
  | 'SGT'
  | 'EQ'
  | 'ISZERO'
  | 'AND'
  | 'OR'
  | 'XOR'
  | 'BYTE'
  | 'SHL'
  | 'SHR'
  | 'SAR'
  | 'CALLVALUE'
  | 'CALLDATALOAD'
  | 'CALLDATASIZE'
  | 'CODECOPY'
  | 'EXTCODECOPY'
  | 'POP'
  | 'MLOAD'
  | 'MSTORE'
  | 'MSTORE8'
  | 'JUMPI'
  | 'JUMPDEST'
  | 'RETURN'
  | 'REVERT';

/** Opcodes without an immediate, by mnemonic. */
export const OPCODES: Readonly<Record<Mnemonic, Opcode>> = {
  ADD: [0x01, 2, 1, 3],
  MUL: [0x02, 2, 1, 5],
  SUB: [0x03, 2, 1, 3],
  DIV: [0x04, 2, 1, 5],
  SIGNEXTEND: [0x0b, 2, 1, 5],
  LT: [0x10, 2, 1, 3],
  GT: [0x11, 2, 1, 3],
  SLT: [0x12, 2, 1, 3],
  SGT: [0x13, 2, 1, 3],
  EQ: [0x14, 2, 1, 3],
  ISZERO: [0x15, 1, 1, 3],
  AND: [0x16, 2, 1, 3],
  OR: [0x17, 2, 1, 3],
  XOR: [0x18, 2, 1, 3],
  BYTE: [0x1a, 2, 1, 3],
  SHL: [0x1b, 2, 1, 3],
  SHR: [0x1c, 2, 1, 3],
  SAR: [0x1d, 2, 1, 3],
  CALLVALUE: [0x34, 0, 1, 2],
  CALLDATALOAD: [0x35, 1, 1, 3],
  CALLDATASIZE: [0x36, 0, 1, 2],
  CODECOPY: [0x39, 3, 0, 3],
  EXTCODECOPY: [0x3c, 4, 0, 100],
  POP: [0x50, 1, 0, 2],
  MLOAD: [0x51, 1, 1, 3],
  MSTORE: [0x52, 2, 0, 3],
  MSTORE8: [0x53, 2, 0, 3],
  JUMPI: [0x57, 2, 0, 10],
  JUMPDEST: [0x5b, 0, 0, 1],
  RETURN: [0xf3, 2, 0, 0],
  REVERT: [0xfd, 2, 0, 0],
};

/** PUSH0; PUSHn is PUSH0 + n. */
export const PUSH0 = 0x5f;
/** DUP1 and SWAP1. */
export const DUP1 = 0x80;
/** See `DUP1`. */
export const SWAP1 = 0x90;
/** An instruction that fails: it parts code from data, and data contracts begin with it, so that they take no calls. */
export const INVALID = 0xfe;

/** Gas of pushing, of DUPn and of SWAPn. */
export const VERY_LOW = 3;
/** Gas of PUSH0. */
export const BASE = 2;
/** Gas that the first access to an account costs beyond a later one (EIP-2929). */
export const COLD_ACCOUNT = 2500;
/** Gas of a copied word. */
export const COPY_WORD = 3;

/** Gas of `words` words of memory: 3·words + ⌊words² / 512⌋. */
export function memoryGas(words: number): number {
  return 3 * words + Number((BigInt(words) * BigInt(words)) >> 9n);
}
