/** Ops over rows: softmax, log_softmax and the norms; records are those of kernels/wasm/{softmax,logsoftmax,norm}.ts. Integers only. */
import { log2q } from '../wasm/logsoftmax';
import { ndNext, ndStart, p0, p1, p2 } from '../wasm/nd';
import { inverseRoot, mean } from '../wasm/norm';
import { exponent, weightAt } from '../wasm/order';
import { clamp, mulhr, read, rsh, scratch, write } from '../wasm/simd';
import { stage1 } from './elementwise';

/** E(t(d)), by the table of a row of i8 or by that of the powers. */
// @ts-ignore: decorator
@inline
function weigh(d: u32, table: usize, l: i32, m: i32, e: i32, exp2: usize): u32 {
  return table ? load<u32>(table + (<usize>d << 2)) : weightAt(exponent(d, l, m), e, exp2);
}

/** The quotients divq(E, S, o) are exact in 64 bits. */
export function softmax(from: u32, to: u32, nd: usize, r: usize): void {
  const K = load<i32>(nd), stride = load<u32>(nd, 24), tx = load<i32>(r), l = load<i32>(r, 4), m = load<i32>(r, 8), e = load<i32>(r, 12), exp2 = load<u32>(r, 16);
  const table = load<u32>(r, 20), o = <u64>load<u32>(r, 24), zp = load<i32>(r, 28), lo = load<i32>(r, 32), hi = load<i32>(r, 36), ty = load<i32>(r, 40);
  const masked = load<i32>(r, 44), causal = load<i32>(r, 48), R = load<i32>(r, 60), E = scratch();
  const f = load<u32>(r, 56) ? load<i32>(load<u32>(r, 56)) : load<i32>(r, 52);
  let i = <i32>(from % <u32>R);
  ndStart(nd, from, to);
  while (ndNext()) {
    const kept = causal ? <i32>max<i64>(0, min<i64>(<i64>K, <i64>i + f + 1)) : K;
    if (++i == R) i = 0;
    let most = i32.MIN_VALUE, S: u32 = 0;
    for (let j = 0; j < kept; j++) if (!masked || load<u8>(p1 + j * stride)) most = max(most, read(p0 + j * tx, tx));
    for (let j = 0; j < K; j++) {
      let w: u32 = 0;
      if (j < kept && (!masked || load<u8>(p1 + j * stride))) w = weigh(most - read(p0 + j * tx, tx), table, l, m, e, exp2);
      store<u32>(E + (<usize>j << 2), w);
      S += w;
    }
    const half = <u64>(S >> 1), sum = <u64>(S ? S : 1);
    for (let j = 0, y = p2; j < K; j++, y += ty)
      write(y, clamp(<i32>(((<u64>load<u32>(E + (<usize>j << 2)) << o) + half) / sum) + zp, lo, hi), ty);
  }
}

export function logSoftmax(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const K = load<i32>(r), tx = load<i32>(r, 4), l = load<i32>(r, 8), m = load<i32>(r, 12), e = load<i32>(r, 16), exp2 = load<u32>(r, 20), table = load<u32>(r, 24);
  const ty = load<i32>(r, 52);
  x += <usize>from * K * tx;
  y += <usize>from * K * ty;
  for (; from < to; from++) {
    let most = i32.MIN_VALUE, S: u32 = 0;
    const end = x + <usize>K * tx;
    for (let p = x; p < end; p += tx) most = max(most, read(p, tx));
    for (let p = x; p < end; p += tx) S += weigh(most - read(p, tx), table, l, m, e, exp2);
    const constant = (e << 16) - log2q(S, load<u32>(r, 28));
    for (; x < end; x += tx, y += ty) stage1(y, constant - exponent(most - read(x, tx), l, m), r + 32);
  }
}

/** Rows of `lines` lines of `width` neighbours, `step` elements apart. */
export function norm(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const G = load<i32>(r), width = load<i32>(r, 4), tx = load<i32>(r, 8), zx = load<i32>(r, 12), f = load<i32>(r, 16), eps = load<u64>(r, 20), g = load<i32>(r, 36);
  const zp = load<i32>(r, 40), lo = load<i32>(r, 44), hi = load<i32>(r, 48), ty = load<i32>(r, 52), lines = load<i32>(r, 56), step = load<i32>(r, 60), rms = load<i32>(r, 64);
  const n = <i64>lines * width, jump = <usize>step * tx;
  for (; from < to; from++) {
    const group = from % G, start = <usize>(from / G) * lines * step + <usize>group * width;
    const own = x + start * tx, end = own + <usize>lines * jump;
    let s1: i64 = 0, total: u64 = 0;
    if (!rms) {
      for (let p = own; p < end; p += jump) for (let q = p, stop = p + width * tx; q < stop; q += tx) s1 += read(q, tx);
      s1 -= n * zx;
    }
    const centre = mean(s1, n, f);
    for (let p = own; p < end; p += jump) {
      for (let q = p, stop = p + width * tx; q < stop; q += tx) {
        const c = <i64>(((read(q, tx) - zx) << f) - centre);
        total += <u64>(c * c);
      }
    }
    const rho = (s1 << f) - n * centre;
    const V = (rms ? total : total - <u64>(rho * rho) / <u64>n) + eps;
    const k = (<i32>clz<u64>(V) - 32) & ~1, T = f + (k >> 1) + 13, F = min(14, T), J = T - F;
    const R = inverseRoot(k >= 0 ? V << k : V >> -k), mu = mean(s1, n, F);
    let to = y + start * ty;
    for (let p = own; p < end; p += jump, to += <usize>step * ty) {
      let gamma = load<u32>(r, 28) + (<usize>group * width << 2), beta = load<u32>(r, 32) + (<usize>group * width << 2), d = to;
      for (let q = p, stop = p + width * tx; q < stop; q += tx, d += ty, gamma += 4, beta += 4) {
        const v = mulhr(mulhr((((read(q, tx) - zx) << F) - mu) << J, R), load<i32>(gamma)) + load<i32>(beta);
        write(d, clamp(rsh(v, g) + zp, lo, hi), ty);
      }
    }
  }
}

/** The same where a unit is a block of eight groups of an image. */
export function normBlocks(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const G = load<i32>(r), blocks = (G + 7) >> 3;
  for (; from < to; from++) {
    const first = (from / blocks) * G, block = (from % blocks) << 3;
    norm(first + block, first + min(G, block + 8), r, x, y);
  }
}

/** The same from i8. */
export function layerNorm8(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  norm(from, to, r, x, y);
}
