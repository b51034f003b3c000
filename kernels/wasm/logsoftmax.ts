/** log_softmax (spec/10-ops.md §5). */
import { load32 } from './elementwise';
import { rsh, scratch, stage8 } from './simd';
import { across, exponents, gather, weights } from './softmax';

/** log2 of S in Q16 by the table LOG2 at `t`. */
export function log2q(s: u32, t: usize): i32 {
  const b = 31 - <i32>clz<u32>(s), mantissa = (s << (31 - b)) & 0x7fffffff;
  const p = t + (<usize>(mantissa >> 23) << 2), a = load<i32>(p);
  return (b << 16) + a + rsh((load<i32>(p, 4) - a) * <i32>((mantissa >> 7) & 65535), 16);
}

/**
 * Units are rows of K elements. Record: K, bytes of x, l, m, e, EXP2, table of weights (0: none), LOG2, stage. The exponents t of a row
 * stay in scratch.
 */
export function logSoftmax(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const K = load<i32>(r), tx = load<i32>(r, 4), l = load<i32>(r, 8), e = load<i32>(r, 16), exp2 = load<u32>(r, 20), table = load<u32>(r, 24);
  const m = v128.load_splat<i32>(r + 12), ty = load<i32>(r, 52), least = i32x4.splat(i32.MIN_VALUE), bound = i32x4.splat(K), T = scratch();
  const lanes = i32x4(0, 1, 2, 3);
  x += <usize>from * K * tx;
  y += <usize>from * K * ty;
  for (; from < to; from++) {
    let most = least, total = i32x4.splat(0);
    for (let j = 0; j < K; j += 4)
      most = i32x4.max_s(most, v128.bitselect(load32(x + j * tx, tx, 1), least, i32x4.lt_s(i32x4.add(i32x4.splat(j), lanes), bound)));
    const mx = i32x4.splat(across(most, false));
    for (let j = 0; j < K; j += 4) {
      const inside = i32x4.lt_s(i32x4.add(i32x4.splat(j), lanes), bound), d = v128.and(i32x4.sub(mx, load32(x + j * tx, tx, 1)), inside);
      v128.store(T + (j << 2), exponents(d, l, m));
      total = i32x4.add(total, v128.and(table ? gather(table, d) : weights(d, l, m, 23 - e, exp2), inside));
    }
    const constant = i32x4.splat((e << 16) - log2q(across(total, true), load<u32>(r, 28)));
    for (let j = 0; j < K; j += 8) {
      const p = T + (j << 2);
      stage8(y + j * ty, i32x4.sub(constant, v128.load(p)), i32x4.sub(constant, v128.load(p, 16)), K - j, r + 32);
    }
    x += <usize>K * tx;
    y += <usize>K * ty;
  }
}
