import { Random } from '../../src/cli/splitmix.ts';

/** The generator of the command line (splitmix32) with what tests draw from it, so that a failure is named by its seed. */
export class Prng extends Random {
  /** An integer in 0…n−1. */
  below(n: number): number {
    return this.next() % n;
  }

  /** An integer in lo…hi. */
  override int(lo: number, hi: number): number {
    const span = hi - lo + 1;
    return lo + (span <= 4294967296 ? this.next() % span : (this.next() * 1024) % span);
  }

  /** True once in n. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** An integer in lo…hi that likes both ends, zero and their neighbours. */
  override edgy(lo: number, hi: number): number {
    const kind = this.below(8);
    const near =
      kind === 0 ? lo : kind === 1 ? hi : kind === 2 ? 0 : kind === 3 ? lo + 1 : kind === 4 ? hi - 1 : this.int(lo, hi);
    return near < lo ? lo : near > hi ? hi : near;
  }

  /** Fills an array with edgy integers. */
  fill<T extends Int8Array | Int16Array | Int32Array | Uint8Array>(data: T, lo: number, hi: number): T {
    const plain = this.once(2);
    for (let i = 0; i < data.length; i++) data[i] = plain ? this.int(lo, hi) : this.edgy(lo, hi);
    return data;
  }
}
