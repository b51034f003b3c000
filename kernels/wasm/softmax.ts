/** softmax, argmax and argmin (spec/10-ops.md §4, §5). */
import { ndNext, ndStart, p0, p1, p2 } from './nd';
import { limit4, mulhr, read, rsh, scratch, store8 } from './simd';

/** E(t(d)) by the tables of the specification: EXP2 at `exp2`. */
function weight(d: i32, l: i32, m: i32, e: i32, exp2: usize): i32 {
  const t = mulhr(min(d, 0x7fffffff >> l) << l, m);
  const p = exp2 + (<usize>((t >> 8) & 255) << 2);
  const a = load<i32>(p);
  const v = a - rsh((a - load<i32>(p, 4)) * (t & 255), 8);
  return rsh(v, min((t >> 16) + 23 - e, 25));
}

/** ⌊(E·2^o + ⌊S/2⌋) / S⌋ of four weights. */
// @ts-ignore: decorator
@inline
function quotients(e: v128, scale: v128, half: v128, sum: v128): v128 {
  const a = f64x2.div(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(e), scale), half), sum);
  const f = v128.shuffle<i64>(e, e, 1, 0);
  const b = f64x2.div(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(f), scale), half), sum);
  return v128.shuffle<i64>(i32x4.trunc_sat_f64x2_s_zero(a), i32x4.trunc_sat_f64x2_s_zero(b), 0, 2);
}

/**
 * Units are rows: p0 → p2, mask row p1 (inner stride 0 or 1). Record: bytes of x, l, m, e, EXP2, table of weights (0: none), o, zp, lo,
 * hi, bytes of y, masked, causal, offset, address of the offset (0: the attribute), rows of axis −2.
 *
 * The quotient divq(E, S, o) = ⌊(E·2^o + ⌊S/2⌋) / S⌋ is taken in f64: both operands are exact, the quotient is below 2^16 and
 * at least 2^−31 from an integer it does not reach, so truncation is exact (spec/10-ops.md §10, fact 9). An element that is not
 * kept has E = 0, and so y = zp; a row without kept ones divides by 1.
 */
export function softmax(from: u32, to: u32, nd: usize, r: usize): void {
  const K = load<i32>(nd), stride = load<u32>(nd, 24);
  const tx = load<i32>(r), l = load<i32>(r, 4), m = load<i32>(r, 8), e = load<i32>(r, 12), exp2 = load<u32>(r, 16);
  const table = load<u32>(r, 20), scale = f64x2.splat(<f64>(1 << load<i32>(r, 24)));
  const zp = v128.load_splat<i32>(r + 28), lo = v128.load_splat<i32>(r + 32), hi = v128.load_splat<i32>(r + 36);
  const ty = load<i32>(r, 40), masked = load<i32>(r, 44), causal = load<i32>(r, 48), R = load<i32>(r, 60);
  const f = load<u32>(r, 56) ? load<i32>(load<u32>(r, 56)) : load<i32>(r, 52);
  const E = scratch();
  let i = <i32>(from % <u32>R);
  ndStart(nd, from, to);
  while (ndNext()) {
    const kept = causal ? <i32>max<i64>(0, min<i64>(<i64>K, <i64>i + f + 1)) : K;
    if (++i == R) i = 0;
    let mx = i32.MIN_VALUE;
    for (let j = 0; j < kept; j++) if (!masked || load<u8>(p1 + j * stride)) mx = max(mx, read(p0 + j * tx, tx));
    let S = 0;
    for (let j = 0; j < kept; j++) {
      let w = 0;
      if (!masked || load<u8>(p1 + j * stride)) {
        const d = mx - read(p0 + j * tx, tx);
        w = table ? load<i32>(table + (d << 2)) : weight(d, l, m, e, exp2);
      }
      store<i32>(E + (j << 2), w);
      S += w;
    }
    memory.fill(E + (kept << 2), 0, <usize>(K - kept) << 2);
    const half = f64x2.splat(<f64>(S >>> 1)), sum = f64x2.splat(<f64>(S ? S : 1));
    for (let j = 0; j < K; j += 8) {
      const p = E + (j << 2);
      const a = limit4(quotients(v128.load(p), scale, half, sum), zp, lo, hi);
      store8(p2 + j * ty, a, limit4(quotients(v128.load(p, 16), scale, half, sum), zp, lo, hi), K - j, ty);
    }
  }
}

/** argmax over the middle axis of [outer, K, inner]; y i32 [outer, inner], a unit each. `flip` −1 reverses the order: argmin. */
export function argmax(from: u32, to: u32, x: usize, y: usize, K: i32, inner: u32, size: i32, last: i32, flip: i32): void {
  const step = <usize>inner * size;
  for (; from < to; from++) {
    let p = x + <usize>(from / inner) * K * step + <usize>(from % inner) * size;
    let best = 0, top = read(p, size) ^ flip;
    for (let k = 1; k < K; k++) {
      p += step;
      const v = read(p, size) ^ flip;
      if (v > top || (last && v == top)) {
        best = k;
        top = v;
      }
    }
    store<i32>(y + (<usize>from << 2), best);
  }
}
