/**
 * Elementary functions of the converter, from f64 + − × ÷ and √ only, so that every engine computes the same bits
 * (engines differ in Math.exp and its kin). Stated errors are relative unless said and hold for results in the normal
 * range; each is the truncation error of the series plus the rounding of its Horner steps (u = 2^−53).
 * @module
 */

const LN2_HI: number = 2977044471 / 4294967296; // ⌊ln 2 · 2^32⌋ / 2^32: n·LN2_HI is exact for |n| < 2^21
const LN2_LO: number = 1.9082149292705877e-10; // ln 2 − LN2_HI
const TWO_OVER_SQRT_PI: number = 1.1283791670955126;
const bits: DataView = new DataView(new ArrayBuffer(8));

/** 2^n as a double, exact for −1074 ≤ n ≤ 1023; 0 below and Infinity above. */
export function exp2i(n: number): number {
  if (n > 1023) return Number.POSITIVE_INFINITY;
  if (n < -1074) return 0;
  if (n < -1022) bits.setBigUint64(0, 1n << BigInt(n + 1074));
  else bits.setBigUint64(0, BigInt(n + 1023) << 52n);
  return bits.getFloat64(0);
}

/** x = mantissa · 2^exponent with ½ ≤ |mantissa| < 1, exact (subnormals too); x = 0 gives [0, 0]. x is finite. */
export function frexp(x: number): [mantissa: number, exponent: number] {
  if (x === 0) return [0, 0];
  bits.setFloat64(0, x);
  const field = (bits.getUint16(0) >> 4) & 2047;
  if (field === 0) {
    const [m, e] = frexp(x * 18014398509481984); // 2^54
    return [m, e - 54];
  }
  bits.setUint16(0, (bits.getUint16(0) & 0x800f) | (1022 << 4));
  return [bits.getFloat64(0), field - 1022];
}

/** x · 2^n, rounded once unless the result is subnormal. */
export function ldexp(x: number, n: number): number {
  if (n > 1000) return x * exp2i(1000) * exp2i(n - 1000);
  return n < -1000 ? x * exp2i(-1000) * exp2i(n + 1000) : x * exp2i(n);
}

/**
 * e^x. Reduction to |r| ≤ 0.3466 and a Taylor polynomial of degree 13: truncation r^14/14! < 5e-18, so the error is below
 * 4u. Overflow gives Infinity, underflow 0.
 */
export function exp(x: number): number {
  if (x > 709.79) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  if (Number.isNaN(x)) return x;
  const n = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - n * LN2_HI - n * LN2_LO;
  let p = 1;
  for (let k = 13; k >= 1; k--) p = 1 + (r * p) / k;
  return ldexp(p, n);
}

/** ln x for x > 0; −Infinity at 0, NaN below. With x = m·2^e, √½ ≤ m < √2, ln m = 2·artanh((m−1)/(m+1)): below 4u, or 2^−52 absolute near 1. */
export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x > 0 ? x : Number.NaN;
  let [m, e] = frexp(x);
  if (m < Math.SQRT1_2) {
    m *= 2;
    e -= 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p = 1 / 25;
  for (let k = 23; k >= 1; k -= 2) p = 1 / k + z * p; // truncation z^13/27 < 1e-21
  return e * LN2_HI + (2 * s * p + e * LN2_LO);
}

/** tanh x. Below ¼ a continued fraction of depth 9 (truncation < 1e-20), above (1−t)/(1+t) with t = e^(−2|x|): error below 10u. */
export function tanh(x: number): number {
  const a = Math.abs(x);
  if (a < 0.25) {
    const z = x * x;
    let d = 17;
    for (let k = 15; k >= 1; k -= 2) d = k + z / d;
    return x / d;
  }
  const t = exp(-2 * a);
  const y = (1 - t) / (1 + t);
  return x < 0 ? -y : y;
}

/** The logistic function 1/(1+e^−x), error below 8u on both sides of 0. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const t = exp(x);
  return t / (1 + t);
}

/** erf x from 2/√π·e^(−x²)·Σ 2^n x^(2n+1)/(2n+1)!!, all terms of one sign: error below 60u for |x| < 6, ±1 beyond (off by < 3e-17). */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) >= 6) return x < 0 ? -1 : 1;
  const z = 2 * x * x;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > Math.abs(sum) * 1e-18; k += 2) {
    term = (term * z) / k;
    sum += term;
  }
  const y = TWO_OVER_SQRT_PI * exp(-x * x) * sum;
  return Math.min(Math.max(y, -1), 1);
}
