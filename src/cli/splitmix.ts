/**
 * Random integers from a seed. It needs nothing of Node.
 * @module
 */
/** splitmix32: 2^32 states, integers only. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A uint32. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** An integer in lo…hi, at most 2^32 of them. */
  int(lo: number, hi: number): number {
    return lo + (this.next() % (hi - lo + 1));
  }

  /** As `int`, often at an end, at 0 or beside one of them. */
  edgy(lo: number, hi: number): number {
    const near = [lo, hi, 0, lo + 1, hi - 1][this.next() % 8] ?? this.int(lo, hi);
    return Math.min(Math.max(near, lo), hi);
  }
}
