/** A module of one kernel, for compiled models: they hold weights as i8 and widen those of a node before it runs. */

/** i8 at x as i16 at y; units are 1024 of n, a multiple of 16. */
export function widen(from: u32, to: u32, x: usize, y: usize, n: u32): void {
  y += <usize>from << 11;
  const end = x + min<u32>(n, to << 10);
  for (x += <usize>from << 10; x < end; x += 16, y += 32) {
    v128.store(y, v128.load_ext<i8>(x));
    v128.store(y, v128.load_ext<i8>(x, 8), 16);
  }
}
