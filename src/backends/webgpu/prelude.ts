/**
 * WGSL that every kernel shares: bindings, loads of packed elements, division by constants of the plan, and the twins of
 * `core/int.ts` under its names (spec/00-numerics.md §2). Integers only; wrapping sums are made in u32; no `/`, no `%`; a
 * shift amount stays below 32.
 * @module
 */

/** Words of a record: what a dispatch reads through its dynamic offset. */
export const RECORD_WORDS: number = 64;

/** Words of one axis of a walk: length, its divisor (2), strides of three operands. */
export const AXIS_WORDS: number = 6;

/**
 * `arena` holds activations, scratch and the constants that kernels read as tensors; `constants` packed weights, tables
 * and walks; `p` the record of the dispatch. Tensors are canonical bytes in little-endian words, each from a word of its own.
 */
export const PRELUDE: string = `
struct Divisor { n: u32, mul: u32, shift: u32 }
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<storage, read> constants: array<u32>;
@group(0) @binding(2) var<storage, read> p: Record;

// floor(a·b / 2^32) by 16-bit limbs
fn mulhi(a: u32, b: u32) -> u32 {
  let al: u32 = a & 0xffffu; let ah: u32 = a >> 16u;
  let bl: u32 = b & 0xffffu; let bh: u32 = b >> 16u;
  let low: u32 = al * bl; let left: u32 = ah * bl; let right: u32 = al * bh;
  let middle: u32 = (low >> 16u) + (left & 0xffffu) + (right & 0xffffu);
  return ah * bh + (left >> 16u) + (right >> 16u) + (middle >> 16u);
}
// floor(i / d.n), i < 2^31
fn quotient(i: u32, d: Divisor) -> u32 { return mulhi(i << 1u, d.mul) >> d.shift; }

// floor((x·m + 2^31) / 2^32) by 16-bit limbs, the high ones signed
fn mulhr(x: i32, m: i32) -> i32 {
  let a: i32 = x >> 16u; let b: i32 = x & 0xffff;
  let c: i32 = m >> 16u; let d: i32 = m & 0xffff;
  let ad: i32 = a * d; let bc: i32 = b * c;
  let bd: u32 = bitcast<u32>(b) * bitcast<u32>(d);
  let low: u32 = (bd >> 16u) + bitcast<u32>(bc & 0xffff) + bitcast<u32>(ad & 0xffff) + 32768u;
  return a * c + (ad >> 16u) + (bc >> 16u) + bitcast<i32>(low >> 16u);
}
// floor((x + floor(2^(s-1))) / 2^s), s <= 31
fn rsh(x: i32, s: u32) -> i32 { return bitcast<i32>(bitcast<u32>(x) + ((1u << s) >> 1u)) >> s; }

// clamp(zp + mulhr(acc·2^l, m), lo, hi)
fn stage(acc: u32, m: u32, l: u32, zp: i32, lo: i32, hi: i32) -> i32 {
  return clamp(zp + mulhr(bitcast<i32>(acc << l), bitcast<i32>(m)), lo, hi);
}
// floor(a / n) in 32 restoring steps, n >= 1
fn divide(a: u32, n: u32) -> u32 {
  var q: u32 = 0u; var r: u32 = 0u;
  for (var i: u32 = 0u; i < 32u; i++) {
    let carry: u32 = r >> 31u;
    r = (r << 1u) | ((a >> (31u - i)) & 1u);
    q <<= 1u;
    if (carry == 1u || r >= n) { r -= n; q |= 1u; }
  }
  return q;
}
// floor((e·2^o + floor(s/2)) / s), e <= s < 2^31, o <= 30
fn divq(e: u32, s: u32, o: u32) -> u32 {
  var q: u32 = select(0u, 1u, e >= s);
  var r: u32 = e - q * s;
  for (var i: u32 = 0u; i < o; i++) {
    r <<= 1u; q <<= 1u;
    if (r >= s) { r -= s; q |= 1u; }
  }
  return q + select(0u, 1u, r >= s - (s >> 1u));
}
// floor(sqrt(v))
fn isqrt(v: u32) -> u32 {
  var r: u32 = 0u;
  for (var i: u32 = 0u; i < 16u; i++) {
    let t: u32 = r | (32768u >> i);
    if (t * t <= v) { r = t; }
  }
  return r;
}
// clamp(zp + rsh(128·T[i] + (T[i+1] - T[i])·f, s), lo, hi), the 513 nodes as words
fn lut16(x: i32, table: u32, s: u32, zp: i32, lo: i32, hi: i32) -> i32 {
  let v: u32 = bitcast<u32>(x + 32768);
  let a: i32 = bitcast<i32>(constants[table + (v >> 7u)]);
  let b: i32 = bitcast<i32>(constants[table + (v >> 7u) + 1u]);
  return clamp(zp + rsh(128 * a + (b - a) * bitcast<i32>(v & 127u), s), lo, hi);
}
// bits of element i within its word, sign extended; size is log2 of its bytes
fn part(word: u32, size: u32, i: u32) -> i32 {
  let up: u32 = 32u - (8u << size);
  return bitcast<i32>(word << (up - ((i & (3u >> size)) << (3u + size)))) >> up;
}
// element i of the tensor at word \`at\`
fn load(at: u32, size: u32, i: u32) -> i32 { return part(arena[at + (i >> (2u - size))], size, i); }

// element offsets of up to three operands at flat index i of a walk, its axes innermost first
fn walk(axes: u32, rank: u32, i: u32) -> vec3<u32> {
  var rest: u32 = i;
  var at: vec3<u32> = vec3<u32>(0u);
  for (var k: u32 = 0u; k < rank; k++) {
    let t: u32 = axes + ${AXIS_WORDS}u * k;
    let q: u32 = quotient(rest, Divisor(constants[t], constants[t + 1u], constants[t + 2u]));
    let r: u32 = rest - q * constants[t];
    at += r * vec3<u32>(constants[t + 3u], constants[t + 4u], constants[t + 5u]);
    rest = q;
  }
  return at;
}
`;
