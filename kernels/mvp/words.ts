/**
 * Products of 64-bit words: several products of a sum by one multiplication. A word holds coefficients of a polynomial in 2^s, the word of the
 * weights those in reverse, so that the middle field of their product is the sum of products wanted.
 *
 * Three (i8 by i8): A = a0 + a1·2^21 + a2·2^42 and B = b2 + b1·2^21 + b0·2^42. Bits 42…62 of the sum of A·B hold S = Σ a0·b0 + a1·b1 + a2·b2
 * behind the carry of the fields below, Σ a0·b2 and Σ a0·b1 + a1·b2; bit 63 is of the field above. With |a|·|b| ≤ P and n words, |S| ≤ 3·n·P
 * must stay below 2^20; then the fields below stay within 2^41, and S = ⌊((Σ + 2^41) mod 2^63) / 2^42⌋, signed. P = 2^14 where zp = 0: n ≤ 21;
 * 255·128 else: n ≤ 10.
 * Two (i8 by i16; i4 times its scale by i8 or i16): A = a0 + a1·2^32, B = b1 + b0·2^32. Bits 32…63 are S mod 2^32 behind the carry of Σ a0·b1, which must stay
 * within 2^31: n < 2^31/P words, S = ⌊(Σ + 2^31) / 2^32⌋ mod 2^32.
 * One (i16 by i16): A = a0, B = b0, and Σ mod 2^32 is S.
 * After n words the sum is moved to an i32, which wraps mod 2^32: the final value is proved to be an int32 (spec/10-ops.md §10, fact 1).
 * Rows of words are padded to a multiple of four with zeros. Four rows of x are interleaved: word k of row i lies at 32·k + 8·i.
 */
import { clamp, mulhr, read, scratch, write } from '../wasm/simd';

/** Bytes of a row of K values, `per` of them a word. */
// @ts-ignore: decorator
@inline
export function rowBytes(K: u32, per: u32): usize {
  return (((K + per - 1) / per + 3) & ~3) << 3;
}

/** Where a field of a word begins, by values a word. */
// @ts-ignore: decorator
@inline
function spacing(per: i32): i64 {
  return per == 3 ? 21 : 32;
}

/** K elements from p on, minus zp, as words at d, `step` bytes apart, those of weights (8) in reverse order. */
export function packRow(d: usize, p: usize, K: u32, size: i32, zp: i32, per: i32, step: usize): void {
  const reverse = step == 8, end = d + (rowBytes(K, per) >> 3) * step, last = p + K * size;
  if (per == 3 && zp == 0) {
    if (reverse) {
      for (; p + 3 <= last; p += 3, d += 8) {
        const a = <i64>load<i8>(p), b = <i64>load<i8>(p, 1), c = <i64>load<i8>(p, 2);
        store<i64>(d, c + (b << 21) + (a << 42));
      }
    } else {
      for (; p + 3 <= last; p += 3, d += 32) {
        const a = <i64>load<i8>(p), b = <i64>load<i8>(p, 1), c = <i64>load<i8>(p, 2);
        store<i64>(d, a + (b << 21) + (c << 42));
      }
    }
  }
  const s = spacing(per), top = s * (per - 1);
  for (; d < end; d += step) {
    let word: i64 = 0, at: i64 = reverse ? top : 0;
    for (let i = 0; i < per && p < last; i++, p += size) {
      word += <i64>(read(p, size) - zp) << at;
      at += reverse ? -s : s;
    }
    store<i64>(d, word);
  }
}

/** Sums of products of a row of x and one of weights, moved to an i32 after every `each` bytes of these. */
// @ts-ignore: decorator
@inline
function dot(a: usize, w: usize, bytes: usize, each: usize, half: i64, up: i64, shift: i64): i32 {
  const end = w + bytes;
  let total = 0;
  do {
    let sum = half;
    for (const stop = min(w + each, end); w < stop; w += 32, a += 128) {
      sum += load<i64>(a) * load<i64>(w) + load<i64>(a, 32) * load<i64>(w, 8) + load<i64>(a, 64) * load<i64>(w, 16) + load<i64>(a, 96) * load<i64>(w, 24);
    }
    total += <i32>((sum << up) >> shift);
  } while (w < end);
  return total;
}

/** Writes an accumulator as an element of `size` bytes: clamp(zp + mulhr(v·2^l, m), lo, hi), or as it is where that is 4. */
// @ts-ignore: decorator
@inline
function finish(y: usize, v: i32, size: i32, l: i32, m: i32, zp: i32, lo: i32, hi: i32): void {
  if (size == 1) store<i8>(y, <i8>clamp(mulhr(v << l, m) + zp, lo, hi));
  else if (size == 2) store<i16>(y, <i16>clamp(mulhr(v << l, m) + zp, lo, hi));
  else store<i32>(y, v);
}

/** `tile` for rows of four words, outputs of i8: the words stay in locals. */
function small(B: usize, bias: usize, m: usize, l: i32, zp: i32, lo: i32, hi: i32, a: usize, rows: i32, from: u32, to: u32, out: usize, ld: usize, half: i64, up: i64, shift: i64): void {
  for (; rows > 0; rows--, a += 8, out += ld) {
    const a0 = load<i64>(a), a1 = load<i64>(a, 32), a2 = load<i64>(a, 64), a3 = load<i64>(a, 96);
    let w = B + (from << 5);
    for (let o = from; o < to; o++, w += 32) {
      const sum = half + a0 * load<i64>(w) + a1 * load<i64>(w, 8) + a2 * load<i64>(w, 16) + a3 * load<i64>(w, 24), at = o << 2;
      finish(out + o, <i32>((sum << up) >> shift) + load<i32>(bias + at), 1, l, load<i32>(m + at), zp, lo, hi);
    }
  }
}

/**
 * Up to four rows of words at `a` times columns from…to−1 of words at B, all of `bytes` bytes a row: bias, stage and the bytes from row to row
 * of the output are those of a matrix record G (kernels/wasm/gemm.ts), whose words begin `skip` channels on.
 */
export function tile(g: usize, B: usize, skip: u32, a: usize, rows: i32, bytes: usize, from: u32, to: u32, out: usize, per: i32, each: usize): void {
  const bias = load<u32>(g, 16) + (skip << 2), m = load<u32>(g, 20) + (skip << 2), l = load<i32>(g, 24), zp = load<i32>(g, 28);
  const lo = load<i32>(g, 32), hi = load<i32>(g, 36), size = load<i32>(g, 40), ld = load<u32>(g, 44);
  const shift: i64 = per == 3 ? 43 : per == 2 ? 32 : 0, up: i64 = i64(per == 3), half: i64 = per == 1 ? 0 : <i64>1 << (shift - up - 1);
  if (size == 1 && bytes == 32) {
    small(B, bias, m, l, zp, lo, hi, a, rows, from, to, out, ld, half, up, shift);
    return;
  }
  let w = B + from * bytes, y = out + from * size;
  for (; from < to; from++, y += size) {
    const b = load<i32>(bias + (from << 2)), factor = load<i32>(m + (from << 2));
    if (rows < 4) {
      for (let i = 0, q = y; i < rows; i++, q += ld) finish(q, dot(a + (<usize>i << 3), w, bytes, each, half, up, shift) + b, size, l, factor, zp, lo, hi);
      w += bytes;
      continue;
    }
    const end = w + bytes;
    let t0 = b, t1 = b, t2 = b, t3 = b, p = a;
    do {
      let s0 = half, s1 = half, s2 = half, s3 = half;
      for (const stop = min(w + each, end); w < stop; w += 32, p += 128) {
        const w0 = load<i64>(w), w1 = load<i64>(w, 8), w2 = load<i64>(w, 16), w3 = load<i64>(w, 24);
        s0 += load<i64>(p) * w0 + load<i64>(p, 32) * w1 + load<i64>(p, 64) * w2 + load<i64>(p, 96) * w3;
        s1 += load<i64>(p, 8) * w0 + load<i64>(p, 40) * w1 + load<i64>(p, 72) * w2 + load<i64>(p, 104) * w3;
        s2 += load<i64>(p, 16) * w0 + load<i64>(p, 48) * w1 + load<i64>(p, 80) * w2 + load<i64>(p, 112) * w3;
        s3 += load<i64>(p, 24) * w0 + load<i64>(p, 56) * w1 + load<i64>(p, 88) * w2 + load<i64>(p, 120) * w3;
      }
      t0 += <i32>((s0 << up) >> shift);
      t1 += <i32>((s1 << up) >> shift);
      t2 += <i32>((s2 << up) >> shift);
      t3 += <i32>((s3 << up) >> shift);
    } while (w < end);
    finish(y, t0, size, l, factor, zp, lo, hi);
    finish(y + ld, t1, size, l, factor, zp, lo, hi);
    finish(y + 2 * ld, t2, size, l, factor, zp, lo, hi);
    finish(y + 3 * ld, t3, size, l, factor, zp, lo, hi);
  }
}

/** Bytes of words after which a sum is moved: weights are i8, or with kind 4 i4 times scales; x has `size` bytes. */
// @ts-ignore: decorator
@inline
export function share(size: i32, zp: i32, kind: i32): usize {
  if (kind == 4) return size == 1 ? 2048 << 3 : 8 << 3;
  return size == 2 ? 248 << 3 : zp ? 8 << 3 : 20 << 3;
}

/** i8 weights, rows of K, as rows of words; units are rows. */
export function expand(from: u32, to: u32, x: usize, y: usize, K: u32, per: u32): void {
  const bytes = rowBytes(K, per);
  x += <usize>from * K;
  y += <usize>from * bytes;
  for (; from < to; from++, x += K, y += bytes) packRow(y, x, K, 1, 0, per, 8);
}

/**
 * i4 weights, rows of K, two a byte, times u8 scales of `block` weights each, [rows][blocks], as rows of words of two; units are rows. Record: weights,
 * scales, words, K, block.
 */
export function expand4(from: u32, to: u32, r: usize): void {
  const x = load<u32>(r), K = load<u32>(r, 12), block = load<u32>(r, 16), blocks = (K + block - 1) / block, bytes = rowBytes(K, 2);
  let y = load<u32>(r, 8) + <usize>from * bytes;
  for (; from < to; from++) {
    let i = from * K, u = load<u32>(r, 4) + <usize>from * blocks, left = block, scale = <i64>load<u8>(u);
    const end = i + K, stop = y + bytes;
    for (; y < stop; y += 8) {
      let word: i64 = 0;
      for (let at: i64 = 32; at >= 0 && i < end; at -= 32, i++) {
        if (left == 0) {
          left = block;
          scale = <i64>load<u8>(++u);
        }
        left--;
        const byte = <i32>load<i8>(x + (i >> 1));
        word += (<i64>(i & 1 ? byte >> 4 : (byte << 28) >> 28) * scale) << at;
      }
      store<i64>(y, word);
    }
  }
}

/** Rows start…end−1 of a matrix times panels from…to−1 of eight columns of words at B; the record is that of kernels/wasm/gemm.ts. */
export function product(r: usize, B: usize, x: usize, out: usize, start: i32, end: i32, from: i32, to: i32): void {
  const lda = load<u32>(r, 4), size = load<i32>(r, 8), zp = load<i32>(r, 12), kind = load<i32>(r, 20), a = scratch() + load<u32>(r, 24);
  const K = lda >> (size - 1), ld = load<u32>(r, 92), per = kind == 4 || size == 2 ? 2 : 3, bytes = rowBytes(K, per);
  const columns = min(load<i32>(r, 56), to << 3);
  for (let i = start; i < end; i += 4) {
    const rows = min(4, end - i);
    for (let k = 0; k < rows; k++) packRow(a + (<usize>k << 3), x + <usize>(i + k) * lda, K, size, zp, per, 32);
    tile(r + 48, B, 0, a, rows, bytes, from << 3, columns, out + <usize>i * ld, per, share(size, zp, kind));
  }
}

/** A matrix of contiguous rows times panels; units are panels, or four rows. */
export function matrix(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const rows = load<i32>(r), byPanels = load<i32>(r, 40);
  const start = byPanels ? 0 : from << 2, end = byPanels ? rows : min(rows, to << 2);
  product(r, load<u32>(r, 60), x, out, start, end, byPanels ? from : 0, byPanels ? to : load<i32>(r, 52));
}
