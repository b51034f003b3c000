/** The 4×8 tile of gemm.ts with its sums written as they are, for algorithms that combine products. */

// @ts-ignore: decorator
@inline
function mac(c: v128, a: v128, b: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

/** Four packed rows of `bytes` > 0 bytes at p times one packed panel at b: m [4][8] i32. */
// @ts-ignore: decorator
@inline
export function product(p: usize, b: usize, bytes: usize, m: usize): void {
  const end = p + bytes;
  let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  do {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let t = v128.load_splat<i32>(p);
    c00 = mac(c00, t, b0);
    c01 = mac(c01, t, b1);
    t = v128.load_splat<i32>(p, 4);
    c10 = mac(c10, t, b0);
    c11 = mac(c11, t, b1);
    t = v128.load_splat<i32>(p, 8);
    c20 = mac(c20, t, b0);
    c21 = mac(c21, t, b1);
    t = v128.load_splat<i32>(p, 12);
    c30 = mac(c30, t, b0);
    c31 = mac(c31, t, b1);
    p += 16;
    b += 32;
  } while (p < end);
  v128.store(m, c00);
  v128.store(m, c01, 16);
  v128.store(m, c10, 32);
  v128.store(m, c11, 48);
  v128.store(m, c20, 64);
  v128.store(m, c21, 80);
  v128.store(m, c30, 96);
  v128.store(m, c31, 112);
}
