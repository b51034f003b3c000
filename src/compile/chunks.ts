/**
 * Weights in chunks, which a host puts into the memory of a module (kernels/mvp/chunks.ts, docs/aot.md).
 * @module
 */
import { digestOf } from '../core/digest.ts';
import { floorDiv } from '../core/int.ts';
import type { StaticBuilder } from './layout.ts';

/** Exports of a module whose weights come in chunks. */
export const CHUNK_EXPORTS: readonly string[] = ['chunk_count', 'chunk_ptr', 'chunk_len', 'chunk_digest', 'load_chunk'];

/** Words of schedule, state and last block. */
const HASH_WORDS = 88;

/** The first n primes. */
function primes(n: number): bigint[] {
  const out: bigint[] = [];
  for (let p = 2n; out.length < n; p++) if (out.every((q) => p % q !== 0n)) out.push(p);
  return out;
}

/** The first 32 bits behind the point of the root of degree k of v: the greatest r with r^k ≤ v·2^(32k), mod 2^32. */
function fraction(v: bigint, k: bigint): number {
  const most = v << (32n * k);
  let r = 0n;
  for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) if ((r + bit) ** k <= most) r += bit;
  return Number(BigInt.asUintN(32, r));
}

/** Constants and initial words of SHA-256: of cube roots and square roots of primes (FIPS 180-4 §4.2.2, §5.3.3). */
function hashWords(): number[] {
  const p = primes(64);
  return [...p.map((v) => fraction(v, 3n)), ...p.slice(0, 8).map((v) => fraction(v, 2n))];
}

/** Bytes of a memory that are cut into chunks. */
interface Cut {
  readonly from: number;
  readonly to: number;
  /** Bytes of every chunk but the last, which has at most so many. */
  readonly size: number;
}

/** Where a memory from…to−1 is cut into chunks of at most so many bytes. */
export function cutOf(from: number, to: number, most: number): Cut {
  return { from, to, size: Math.max(1, Math.min(most, to - from)) };
}

/** The chunks of a memory. */
export function chunksOf(memory: ArrayBufferLike, { from, to, size }: Cut): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: floorDiv(to - from + size - 1, size) }, (_, i) =>
    new Uint8Array(memory).slice(from + i * size, Math.min(to, from + (i + 1) * size)),
  );
}

/** Reserves the table of the chunks, with the digests of what stands before it. Returns its address. */
export function chunkTable(b: StaticBuilder, cut: Cut): number {
  const count = floorDiv(cut.to - cut.from + cut.size - 1, cut.size);
  const head = [count, count, cut.size, cut.from, cut.to - cut.from, ...hashWords()];
  const first = 4 * (head.length + HASH_WORDS);
  return b.reserve(first + 36 * count, (memory, at) => {
    new Uint32Array(memory, at, head.length).set(head);
    chunksOf(memory, cut).forEach((chunk, i) => {
      new Uint8Array(memory, at + first + 36 * i + 4, 32).set(digestOf(chunk));
    });
  });
}
