/**
 * Weights that a host puts into the memory piece by piece (docs/aot.md): each piece is known by its SHA-256 (FIPS 180-4), and no run begins
 * before all are there.
 *
 * Table: chunks, chunks that are missing, bytes of a chunk, address of the first, bytes of all; 64 constants and 8 initial words of the hash; 64
 * words of schedule, 8 of state, 16 of the last block; then of each chunk 1 where it is there, and its digest.
 */

/** Where the table is; 0 where the weights are data. Set when linked. */
export let chunks: usize = 0;

const CONSTANTS = 20, INITIAL = 276, SCHEDULE = 308, STATE = 564, LAST = 596, RECORDS = 660, RECORD = 36;
/** Results of `load_chunk`. */
const LOADED = 0, WRONG_LENGTH = -1, NO_CHUNK = -3, OTHER_BYTES = -5;

/** How many chunks are missing. */
export function missing(): u32 {
  return chunks ? load<u32>(chunks, 4) : 0;
}

/** Number of chunks. */
export function chunk_count(): u32 {
  return load<u32>(chunks);
}

/** Address of chunk i; 0 if there is none. */
export function chunk_ptr(i: u32): u32 {
  return i < chunk_count() ? load<u32>(chunks, 12) + i * load<u32>(chunks, 8) : 0;
}

/** Bytes of chunk i; 0 if there is none. */
export function chunk_len(i: u32): u32 {
  if (i >= chunk_count()) return 0;
  const most = load<u32>(chunks, 8), left = load<u32>(chunks, 16) - i * most;
  return left < most ? left : most;
}

function record(i: u32): usize {
  return chunks + RECORDS + i * RECORD;
}

/** Address of the 32 bytes of the SHA-256 of chunk i; 0 if there is none. */
export function chunk_digest(i: u32): u32 {
  return i < chunk_count() ? <u32>record(i) + 4 : 0;
}

/** Takes the `bytes` bytes at chunk_ptr(i) as chunk i, if they are; where they are others, the chunk is missing. */
export function load_chunk(i: u32, bytes: u32): i32 {
  if (i >= chunk_count()) return NO_CHUNK;
  if (bytes != chunk_len(i)) return WRONG_LENGTH;
  hash(chunk_ptr(i), bytes);
  const r = record(i);
  let same: u32 = 1;
  for (let k: u32 = 0; k < 32; k += 4) same &= u32(bswap(load<u32>(chunks + k, STATE)) == load<u32>(r + k, 4));
  store<u32>(chunks, missing() + load<u32>(r) - same, 4);
  store<u32>(r, same);
  return same ? LOADED : OTHER_BYTES;
}

/** SHA-256 of bytes, into STATE. */
function hash(at: usize, bytes: u32): void {
  for (let k: u32 = 0; k < 32; k += 4) store<u32>(chunks + k, load<u32>(chunks + k, INITIAL), STATE);
  let left = bytes;
  for (; left >= 64; left -= 64, at += 64) compress(at);
  const last = chunks + LAST;
  for (let k: u32 = 0; k < 64; k++) store<u8>(last + k, k < left ? load<u8>(at + k) : k == left ? 128 : 0);
  if (left >= 56) {
    compress(last);
    for (let k: u32 = 0; k < 64; k += 4) store<u32>(last + k, 0);
  }
  store<u32>(last, bswap(bytes >> 29), 56);
  store<u32>(last, bswap(bytes << 3), 60);
  compress(last);
}

/** A block of 64 bytes (FIPS 180-4 §6.2.2). */
function compress(block: usize): void {
  const w = chunks + SCHEDULE, state = chunks + STATE, constants = chunks + CONSTANTS;
  for (let t: u32 = 0; t < 64; t += 4) store<u32>(w + t, bswap(load<u32>(block + t)));
  for (let t: u32 = 64; t < 256; t += 4) {
    const at = w + t, x = load<u32>(at - 60), y = load<u32>(at - 8);
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3), s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >> 10);
    store<u32>(at, load<u32>(at - 64) + s0 + load<u32>(at - 28) + s1);
  }
  let a = load<u32>(state), b = load<u32>(state, 4), c = load<u32>(state, 8), d = load<u32>(state, 12);
  let e = load<u32>(state, 16), f = load<u32>(state, 20), g = load<u32>(state, 24), h = load<u32>(state, 28);
  for (let t: u32 = 0; t < 256; t += 4) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25), choice = g ^ (e & (f ^ g));
    const t1 = h + s1 + choice + load<u32>(constants + t) + load<u32>(w + t);
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22), majority = (a & b) | (c & (a | b));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + s0 + majority;
  }
  add(state, a);
  add(state + 4, b);
  add(state + 8, c);
  add(state + 12, d);
  add(state + 16, e);
  add(state + 20, f);
  add(state + 24, g);
  add(state + 28, h);
}

function add(at: usize, v: u32): void {
  store<u32>(at, load<u32>(at) + v);
}
