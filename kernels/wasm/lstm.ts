/** lstm (spec/10-ops.md §7): two matrix products a step, then the gates. */
import { product } from './gemm';
import { clamp, interpolate, mulhr, read, rsh, scratch, write } from './simd';

// @ts-ignore: decorator
@inline
function look(x: i32, t: usize): i32 {
  return interpolate(x, t, 7, 0, -32768, 32767);
}

/** clamp16(mulhr(ax·2^lx, mx) + mulhr(ah·2^lh, mh)) of gate row j. */
function gate(r: usize, ax: usize, ah: usize, j: i32): i32 {
  const o = <usize>j << 2;
  const a = mulhr(load<i32>(ax + o) << load<i32>(r, 32), load<i32>(load<u32>(r, 24) + o));
  const b = mulhr(load<i32>(ah + o) << load<i32>(r, 36), load<i32>(load<u32>(r, 28) + o));
  return clamp(a + b, -32768, 32767);
}

/** c and h of N·H units from accumulators [N,4H]. */
function gates(r: usize, ax: usize, ah: usize, c: usize, h: usize): void {
  const N = load<i32>(r, 4), H = load<i32>(r, 8);
  const kc = load<i32>(r, 40), qh = load<i32>(r, 44), lo = load<i32>(r, 48), hi = load<i32>(r, 52), size = load<i32>(r, 16);
  const sigmoid = load<u32>(r, 56), tanh = load<u32>(r, 60), squash = load<u32>(r, 64);
  for (let n = 0; n < N; n++) {
    for (let u = 0; u < H; u++) {
      const i = look(gate(r, ax, ah, u), sigmoid);
      const f = look(gate(r, ax, ah, H + u), sigmoid);
      const g = look(gate(r, ax, ah, 2 * H + u), tanh);
      const o = look(gate(r, ax, ah, 3 * H + u), sigmoid);
      const v = clamp(rsh(f * <i32>load<i16>(c) + rsh(i * g, kc), 15), -32768, 32767);
      store<i16>(c, <i16>v);
      write(h, clamp(rsh(o * look(v, squash), 30 - qh), lo, hi), size);
      c += 2;
      h += size;
    }
    ax += <usize>H << 4;
    ah += <usize>H << 4;
  }
}

/** The product of a whole matrix record. */
function accumulate(r: usize, x: usize, out: usize): void {
  product(r, load<u32>(r, 60), x, out, 0, load<i32>(r), 0, load<i32>(r, 52));
}

/**
 * One unit. Record: T, N, H, bytes of a step of x, bytes of h, reverse, mx, mh (4H words each), lx, lh, kc, qh, lo, hi, three tables,
 * scratch offset of ah behind ax, matrix records of Wx and Wh, bytes of c0. c runs in its output.
 */
export function lstm(from: i32, to: i32, r: usize, x: usize, h0: usize, c0: usize, h: usize, lastH: usize, lastC: usize): void {
  const T = load<i32>(r), step = load<u32>(r, 12);
  const bytes = load<u32>(r, 4) * load<u32>(r, 8) * load<u32>(r, 16);
  const ax = scratch(), ah = ax + load<u32>(r, 68);
  memory.copy(lastC, c0, load<u32>(r, 80));
  let previous = h0;
  for (let i = 0; i < T; i++) {
    const t = load<i32>(r, 20) ? T - 1 - i : i;
    const at = h + <usize>t * bytes;
    accumulate(load<u32>(r, 72), x + <usize>t * step, ax);
    accumulate(load<u32>(r, 76), previous, ah);
    gates(r, ax, ah, lastC, at);
    previous = at;
  }
  memory.copy(lastH, previous, bytes);
}
