/** gru (spec/10-ops.md §7): two or three matrix products a step, with gates between. */
import { product } from './gemm';
import { clamp, interpolate, mulhr, read, rsh, scratch, write } from './simd';

// @ts-ignore: decorator
@inline
function look(x: i32, t: usize): i32 {
  return interpolate(x, t, 7, 0, -32768, 32767);
}

/** mulhr of the accumulator of gate row j at `acc`, with the words of the multipliers at r + m and the shift at r + l. */
// @ts-ignore: decorator
@inline
function scaled(acc: usize, r: usize, m: usize, l: usize, j: i32): i32 {
  return mulhr(load<i32>(acc) << load<i32>(r + l), load<i32>(load<u32>(r + m) + (<usize>j << 2)));
}

// @ts-ignore: decorator
@inline
function clamp16(v: i32): i32 {
  return clamp(v, -32768, 32767);
}

/** The product of a whole matrix record at r + `at`. */
function accumulate(r: usize, at: usize, x: usize, out: usize): void {
  const matrix = load<u32>(r + at);
  product(matrix, load<u32>(matrix, 60), x, out, 0, load<i32>(matrix), 0, load<i32>(matrix, 52));
}

/** Gate z or r of row j. */
// @ts-ignore: decorator
@inline
function gate(r: usize, ax: usize, ah: usize, j: i32): i32 {
  const o = <usize>j << 2;
  return look(clamp16(scaled(ax + o, r, 24, 32, j) + scaled(ah + o, r, 28, 36, j)), load<u32>(r, 52));
}

/**
 * One unit. Record: T, N, H, bytes of a step of x, bytes of h, reverse, mx, mh (3H words each), lx, lh, qh, lo, hi, sigmoid, tanh,
 * matrix records of Wx, of the rows z and r of Wh, or all of it where the reset comes after, and of the rows n (0: reset after), scratch
 * offsets of ah, of the accumulators of n, and of r·h.
 */
export function gru(from: i32, to: i32, r: usize, x: usize, h0: usize, h: usize, lastH: usize): void {
  const T = load<i32>(r), N = load<i32>(r, 4), H = load<i32>(r, 8), step = load<u32>(r, 12), size = load<i32>(r, 16);
  const qh = load<i32>(r, 40), lo = load<i32>(r, 44), hi = load<i32>(r, 48), sigmoid = load<u32>(r, 52), tanh = load<u32>(r, 56), after = load<u32>(r, 68) == 0;
  const bytes = <usize>N * H * size, ax = scratch(), ah = ax + load<u32>(r, 72), an = ax + load<u32>(r, 76), v = ax + load<u32>(r, 80);
  const wide = after ? 3 * H : 2 * H;
  let previous = h0;
  for (let i = 0; i < T; i++) {
    const t = load<i32>(r, 20) ? T - 1 - i : i;
    const at = h + <usize>t * bytes;
    accumulate(r, 60, x + <usize>t * step, ax);
    accumulate(r, 64, previous, ah);
    if (!after) {
      for (let n = 0, q: usize = 0; n < N; n++) {
        const left = ax + (<usize>(n * 3 * H) << 2), right = ah + (<usize>(n * wide) << 2);
        for (let u = 0; u < H; u++, q += size) write(v + q, rsh(gate(r, left, right, H + u) * read(previous + q, size), 15), size);
      }
      accumulate(r, 68, v, an);
    }
    for (let n = 0, q: usize = 0; n < N; n++) {
      const left = ax + (<usize>(n * 3 * H) << 2), right = ah + (<usize>(n * wide) << 2);
      for (let u = 0; u < H; u++, q += size) {
        const j = 2 * H + u, z = gate(r, left, right, u);
        let reset: i32;
        if (after) reset = rsh(gate(r, left, right, H + u) * clamp16(scaled(right + (<usize>j << 2), r, 28, 36, j)), 15);
        else reset = scaled(an + (<usize>(n * H + u) << 2), r, 28, 36, j);
        const fresh = look(clamp16(scaled(left + (<usize>j << 2), r, 24, 32, j) + reset), tanh);
        write(at + q, clamp(rsh((32768 - z) * fresh + z * (read(previous + q, size) << (15 - qh)), 30 - qh), lo, hi), size);
      }
    }
    previous = at;
  }
  memory.copy(lastH, previous, bytes);
}
