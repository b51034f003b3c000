/**
 * Code of the transactions that deploy contracts. That of a contract with data contracts compares what lies at their addresses with what it was
 * compiled for, so that wrong ones are refused where they are named and not read as weights.
 * @module
 */
import { keccak_256 } from '@noble/hashes/sha3.js';

/** Selector of WrongData(). */
const WRONG_DATA = [0x03, 0x68, 0x96, 0xbe];

/** Bytes of an address. */
export function addressBytes(address: string): number[] {
  return Array.from({ length: 20 }, (_, i) => Number.parseInt(address.slice(2 + 2 * i, 4 + 2 * i), 16));
}

/** Why contracts cannot lie at these addresses; undefined where they can. */
export function addressFault(addresses: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const address of addresses) {
    if (typeof address !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(address)) return `${address} is no address`;
    if (/^0x0*$/.test(address)) return `no contract lies at ${address}`;
    if (seen.has(address.toLowerCase())) return `${address} is given twice`;
    seen.add(address.toLowerCase());
  }
  return undefined;
}

/** PUSH3. */
function push3(value: number): number[] {
  return [0x62, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** JUMPDEST PUSH0 PUSH0 REVERT. */
const REFUSAL = [0x5b, 0x5f, 0x5f, 0xfd];
/** JUMPDEST PUSH4 selector PUSH1 224 SHL PUSH0 MSTORE PUSH1 4 PUSH0 REVERT. */
const WRONG = [0x5b, 0x63, ...WRONG_DATA, 0x60, 224, 0x1b, 0x5f, 0x52, 0x60, 4, 0x5f, 0xfd];

/**
 * Code of a transaction that deploys `runtime`. It reverts where ether comes with it, and with WrongData() where the code at an address is not that
 * of the data contract.
 */
export function creationOf(
  runtime: Uint8Array,
  addresses: readonly string[] = [],
  data: readonly Uint8Array[] = [],
): Uint8Array {
  // [PUSH20 address EXTCODEHASH PUSH32 hash XOR] OR …
  const differences = addresses.flatMap((a, i) => [
    ...[0x73, ...addressBytes(a), 0x3f, 0x7f, ...keccak_256(data[i]!), 0x18],
    ...(i > 0 ? [0x17] : []),
  ]);
  /** The code where the refusals begin at `at`: CALLVALUE PUSH3 JUMPI, differences PUSH3 JUMPI, PUSH3 DUP1 PUSH3 PUSH0 CODECOPY PUSH0 RETURN. */
  const head = (at: number): number[] => [
    ...[0x34, ...push3(at), 0x57],
    ...(addresses.length > 0 ? [...differences, ...push3(at + REFUSAL.length), 0x57] : []),
    ...[...push3(runtime.length), 0x80, ...push3(at + REFUSAL.length + WRONG.length), 0x5f, 0x39, 0x5f, 0xf3],
  ];
  return Uint8Array.from([...head(head(0).length), ...REFUSAL, ...WRONG, ...runtime]);
}
