/** rope (spec/10-ops.md §7). */
import { load32 } from './elementwise';
import { load8, rsh, scratch, stage8 } from './simd';

/** Sine in Q14 of a phase, by the table SIN of u16 at t. */
export function sinq(phase: u32, t: usize): i32 {
  let x = <i32>((phase >> 14) & 65535);
  if (phase & 0x40000000) x = 65536 - x;
  const i = min(x >> 8, 255), p = t + (<usize>i << 1), a = <i32>load<u16>(p);
  const v = a + rsh((<i32>load<u16>(p, 2) - a) * (x - (i << 8)), 8);
  return <i32>phase < 0 ? -v : v;
}

/** The first or second rows of a rotation, four at a time: i16 pairs of x times pairs of i16. */
// @ts-ignore: decorator
@inline
function turn(x: v128, t: usize): v128 {
  return i32x4.dot_i16x8_s(x, v128.load(t));
}

/**
 * x [outer,S,D]; units are rows of S. Record: outer, S, D, bytes of x, pairs, interleaved, steps, SIN, position, address of the position (0:
 * that one), stage. Scratch holds, of each pair, (c, −s) and (s, c).
 */
export function rope(from: u32, to: u32, r: usize, x: usize, y: usize): void {
  const outer = load<u32>(r), S = load<u32>(r, 4), D = load<i32>(r, 8), size = load<i32>(r, 12), pairs = load<i32>(r, 16), mixed = load<i32>(r, 20);
  const steps = load<u32>(r, 24), sines = load<u32>(r, 28), stage = r + 40, ty = load<i32>(r, 60);
  const first = load<u32>(r, 36) ? load<u32>(load<u32>(r, 36)) : load<u32>(r, 32);
  const T = scratch(), U = T + (<usize>(pairs + 8) << 2);
  for (; from < to; from++) {
    for (let i = 0; i < pairs; i++) {
      const phase = (first + from) * load<u32>(steps + (<usize>i << 2)), s = sinq(phase, sines), c = sinq(phase + 0x40000000, sines);
      store<i32>(T + (<usize>i << 2), (c & 0xffff) | (-s << 16));
      store<i32>(U + (<usize>i << 2), (s & 0xffff) | (c << 16));
    }
    for (let k: u32 = 0; k < outer; k++) {
      const at = <usize>(k * S + from) * D, p = x + at * size, q = y + at * ty;
      if (mixed) {
        for (let i = 0; i < pairs; i += 4) {
          const v = size == 1 ? load8<i8>(p + (<usize>i << 1)) : load8<i16>(p + (<usize>i << 2));
          const a = turn(v, T + (<usize>i << 2)), b = turn(v, U + (<usize>i << 2));
          stage8(q + ((<usize>i << 1) * ty), v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7), 2 * (pairs - i), stage);
        }
      } else {
        for (let i = 0; i < pairs; i += 8) {
          const s = p + i * size, t = s + pairs * size;
          const a = size == 1 ? load8<i8>(s) : load8<i16>(s), b = size == 1 ? load8<i8>(t) : load8<i16>(t);
          const u = v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), v = v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
          const c = T + (<usize>i << 2), d = U + (<usize>i << 2), n = pairs - i;
          stage8(q + i * ty, turn(u, c), turn(v, c + 16), n, stage);
          stage8(q + (i + pairs) * ty, turn(u, d), turn(v, d + 16), n, stage);
        }
      }
      for (let i = 2 * pairs; i < D; i += 8)
        stage8(q + i * ty, i32x4.shl(load32(p + i * size, size, 1), 14), i32x4.shl(load32(p + (i + 4) * size, size, 1), 14), D - i, stage);
    }
  }
}
