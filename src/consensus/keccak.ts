/** keccak256, the hash function of the EVM (spec/40-consensus.md §1). @module */
import { keccak_256 } from '@noble/hashes/sha3.js';

/** keccak256 of a byte string. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}
