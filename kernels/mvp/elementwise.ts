/** Elementwise ops on one element at a time; records are those of kernels/wasm/{elementwise,pairs,div}.ts. */
import { length, ndNext, ndStart, p0, p1, p2 } from '../wasm/nd';
import { clamp, floorDiv, interpolate, mulhr, read, write } from '../wasm/simd';

/** Writes an accumulator behind the stage at r, or as it is where its m is −1. Stage: m, l, zp, lo, hi, bytes of y. */
export function stage1(y: usize, v: i32, r: usize): void {
  const m = load<i32>(r);
  if (m >= 0) v = clamp(mulhr(v << load<i32>(r, 4), m) + load<i32>(r, 8), load<i32>(r, 12), load<i32>(r, 16));
  write(y, v, load<i32>(r, 20));
}

export function linear2(from: u32, to: u32, nd: usize, r: usize): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24), ta = load<i32>(r), tb = load<i32>(r, 4), ty = load<i32>(r, 32);
  const ma = load<i32>(r, 8), mb = load<i32>(r, 12), C = load<i32>(r, 16), s = load<i32>(r, 20), lo = load<i32>(r, 24), hi = load<i32>(r, 28);
  const bytes = ta == 1 && tb == 1 && ty == 1;
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    const end = y + <usize>length * ty;
    if (bytes) {
      for (; y < end; y++, a += sa, b += sb)
        store<i8>(y, <i8>clamp((<i32>load<i8>(a) * ma + <i32>load<i8>(b) * mb + C) >> s, lo, hi));
    } else {
      for (; y < end; y += ty, a += sa, b += sb) write(y, clamp((read(a, ta) * ma + read(b, tb) * mb + C) >> s, lo, hi), ty);
    }
  }
}

export function rescale(from: u32, to: u32, nd: usize, r: usize): void {
  const tx = load<i32>(r), zx = load<i32>(r, 4), l = load<i32>(r, 8), zp = load<i32>(r, 12), lo = load<i32>(r, 16), hi = load<i32>(r, 20);
  const ty = load<i32>(r, 24), step: usize = load<u32>(nd, 24);
  ndStart(nd, from, to);
  while (ndNext()) {
    let x = p0, m = p1, y = p2;
    for (const end = y + <usize>length * ty; y < end; y += ty, x += tx, m += step)
      write(y, clamp(mulhr((read(x, tx) - zx) << l, load<i32>(m)) + zp, lo, hi), ty);
  }
}

export function lut16(from: i32, to: i32, x: usize, y: usize, n: i32, table: usize, s: i32, zp: i32, lo: i32, hi: i32, size: i32): void {
  for (let i = from << 6, end = min(n, to << 6); i < end; i++)
    write(y + i * size, interpolate(load<i16>(x + (i << 1)), table, s, zp, lo, hi), size);
}

/** mul (op 0), or whether a side is less (op 1) or equal (op 2). */
export function binary(from: u32, to: u32, nd: usize, r: usize): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24), ta = load<i32>(r), tb = load<i32>(r, 4), za = load<i32>(r, 8), zb = load<i32>(r, 12);
  const ma = load<i32>(r, 16), mb = load<i32>(r, 20), op = load<i32>(r, 24), flip = load<i32>(r, 28), ty = load<i32>(r, 52);
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    for (const end = y + <usize>length * ty; y < end; y += ty, a += sa, b += sb) {
      const u = read(a, ta) - za, v = read(b, tb) - zb;
      if (op == 0) stage1(y, u * v, r + 32);
      else write(y, (<i32>(op == 1 ? u * ma < v * mb : u * ma == v * mb) ^ flip) & 1, ty);
    }
  }
}

/** The lesser, the greater, and, or, exclusive or; with op 5 b where the byte a is 1. */
export function select(from: u32, to: u32, nd: usize, op: i32, size: i32): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24);
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    for (const end = y + <usize>length * size; y < end; y += size, a += sa, b += sb) {
      const v = read(b, size);
      if (op == 5) {
        if (load<u8>(a)) write(y, v, size);
        continue;
      }
      const u = read(a, size);
      write(y, op == 0 ? min(u, v) : op == 1 ? max(u, v) : op == 2 ? u & v : op == 3 ? u | v : u ^ v, size);
    }
  }
}

/** More than any output: where quotients are cut. */
const FAR: i64 = 1048576;

/** clamp(zp + roundDiv((a − za)·p, (b − zb)·q)) in 64-bit integers; n/0 is ±2^20 by the sign of n, 0/0 is 0. */
export function div(from: u32, to: u32, nd: usize, r: usize): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24), ta = load<i32>(r), tb = load<i32>(r, 4), za = load<i32>(r, 8), zb = load<i32>(r, 12);
  const p = load<i32>(r, 16), q = load<i32>(r, 20), zp = load<i32>(r, 24), lo = load<i32>(r, 28), hi = load<i32>(r, 32), ty = load<i32>(r, 36);
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    for (const end = y + <usize>length * ty; y < end; y += ty, a += sa, b += sb) {
      let n = <i64>((read(a, ta) - za) * p), d = <i64>((read(b, tb) - zb) * q);
      if (d < 0) {
        n = -n;
        d = -d;
      }
      let v = n > 0 ? FAR : n < 0 ? -FAR : 0;
      if (d) v = max(-FAR, min(FAR, floorDiv(2 * n + d, 2 * d)));
      write(y, clamp(<i32>v + zp, lo, hi), ty);
    }
  }
}
