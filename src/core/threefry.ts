/**
 * Random numbers by counters (spec/00-numerics.md §2.4).
 * @module
 */

/** Bits by which rounds rotate, eight after another. */
export const ROTATIONS: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24];

/** Threefry-2x32 of 20 rounds: two u32 from a key of two and a counter of two words. */
export function threefry(k0: number, k1: number, c0: number, c1: number): readonly [number, number] {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  let [a, b] = [(c0 + k0) >>> 0, (c1 + k1) >>> 0];
  for (let r = 1; r <= 20; r++) {
    const s = ROTATIONS[(r - 1) % 8]!;
    a = (a + b) >>> 0;
    b = (((b << s) | (b >>> (32 - s))) ^ a) >>> 0;
    const j = r >> 2;
    if ((r & 3) === 0) {
      a = (a + keys[j % 3]!) >>> 0;
      b = (b + keys[(j + 1) % 3]! + j) >>> 0;
    }
  }
  return [a, b];
}
