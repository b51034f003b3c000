/**
 * The entry points of a CosmWasm contract over the driver (docs/aot.md). A host allocates regions, writes a message into one and calls; the
 * answer is a region, too. A region is three words: address, capacity, bytes used. Regions of a call go with the first one of the next.
 */
import { check, gas, infer, input_count, input_len, input_ptr, output_count, output_len, output_ptr } from './driver';

/** Where regions are made: the next free byte (0: none was made), 1 where a call was answered, and the regions; set when linked. */
export let arena: usize = 0;
/** Texts, each behind the byte of its length, in the order of `TEXTS` in src/compile/cosmwasm.ts; set when linked. */
export let texts: usize = 0;

const MESSAGE = 0, MESSAGE_WORDS = 7, MESSAGE_END = 7, MESSAGE_END_WORDS = 3, QUOTE = 10, COMMA = 11;
const INSTANTIATED = 12, OK = 13, OUTPUTS = 14, GAS = 15, GAS_END = 16, OK_END = 17;
const UNREADABLE = 18, WRONG_BYTES = 19, OUT_OF_RANGE = 20;

/** Says which interface this is. */
export function interface_version_8(): void {}

/** A region of `size` bytes; 0 where the memory ends. */
export function allocate(size: u32): u32 {
  let top: usize = load<u32>(arena);
  if (top == 0 || load<u32>(arena, 4)) top = arena + 8;
  const region = (top + 7) & ~7;
  const end = <u64>region + 12 + size;
  const pages = <u32>((end + 65535) >> 16);
  if (end >> 32 || (pages > <u32>memory.size() && memory.grow(pages - memory.size()) < 0)) return 0;
  store<u32>(region, region + 12);
  store<u32>(region, size, 4);
  store<u32>(region, 0, 8);
  store<u32>(arena, <u32>end);
  store<u32>(arena, 0, 4);
  return region;
}

/** Regions go at once, with the next call. */
export function deallocate(region: u32): void {}

/** A contract without state: there is nothing to set up. */
export function instantiate(env: u32, info: u32, message: u32): u32 {
  const region = allocate(256);
  return answer(region, write(INSTANTIATED, load<u32>(region)));
}

/** Answers `{"infer":{"inputs":[…]}}`, each input in base64, by outputs in base64 and the gas of the run. */
export function query(env: u32, message: u32): u32 {
  let at: usize = load<u32>(message);
  const end = at + load<u32>(message, 8);
  at = skip(at, end, MESSAGE, MESSAGE_WORDS);
  for (let i: u32 = 0; at && i < input_count(); i++) {
    if (i) at = skip(at, end, COMMA, 1);
    at = skip(at, end, QUOTE, 1);
    if (!at) break;
    const from = at;
    let to = at; // a slash of base64 may stand behind a backslash, as JSON allows
    while (at < end && load<u8>(at) != 34) {
      if (load<u8>(at) == 92 && end - at > 1 && load<u8>(at, 1) == 47) at++;
      if (to != at) store<u8>(to, load<u8>(at));
      at++;
      to++;
    }
    const error = check(i, decode(from, to, input_ptr(i), input_len(i)));
    if (error) return failure(error == -1 ? WRONG_BYTES : OUT_OF_RANGE);
    at = skip(at, end, QUOTE, 1);
  }
  at = skip(at, end, MESSAGE_END, MESSAGE_END_WORDS);
  if (!at || skipBlanks(at, end) != end) return failure(UNREADABLE);
  if (infer()) return failure(OUT_OF_RANGE);
  return result();
}

/** Outputs as JSON, and that as base64 in JSON. */
function result(): u32 {
  let size: u32 = 128;
  for (let i: u32 = 0; i < output_count(); i++) size += output_len(i) / 3 * 4 + 8;
  const inner = allocate(size), region = inner && allocate(size / 3 * 4 + 64);
  if (!region) return 0;
  const json: usize = load<u32>(inner);
  let at = write(OUTPUTS, json);
  for (let i: u32 = 0; i < output_count(); i++) {
    if (i) at = write(COMMA, at);
    at = write(QUOTE, encode(output_ptr(i), output_len(i), write(QUOTE, at)));
  }
  at = write(GAS_END, decimal(gas(), write(GAS, at)));
  return answer(region, write(OK_END, encode(json, at - json, write(OK, load<u32>(region)))));
}

function failure(text: u32): u32 {
  const region = allocate(256);
  return answer(region, write(text, load<u32>(region)));
}

function answer(region: u32, end: usize): u32 {
  store<u32>(region, <u32>end - load<u32>(region), 8);
  store<u32>(arena, 1, 4);
  return region;
}

/** Address of text i. */
function text(i: u32): usize {
  let at = texts;
  for (; i; i--) at += <usize>load<u8>(at) + 1;
  return at;
}

function write(i: u32, to: usize): usize {
  const from = text(i), n = <usize>load<u8>(from);
  for (let k: usize = 0; k < n; k++) store<u8>(to + k, load<u8>(from + k, 1));
  return to + n;
}

function skipBlanks(at: usize, end: usize): usize {
  while (at < end && (load<u8>(at) == 32 || (load<u8>(at) >= 9 && load<u8>(at) <= 13))) at++;
  return at;
}

/** The byte behind texts i…i+count−1, with blanks between them; 0 where something else stands. */
function skip(at: usize, end: usize, i: u32, count: u32): usize {
  let from = text(i);
  for (; at && count; count--) {
    const n = <usize>load<u8>(from);
    at = skipBlanks(at, end);
    if (end - at < n) return 0;
    for (let k: usize = 0; k < n; k++) if (load<u8>(at + k) != load<u8>(from + k, 1)) return 0;
    at += n;
    from += n + 1;
  }
  return at;
}

function decimal(value: u64, to: usize): usize {
  let size: usize = 1;
  for (let v = value / 10; v; v /= 10) size++;
  for (let k = size; k; k--) {
    store<u8>(to + k - 1, 48 + <u32>(value % 10));
    value /= 10;
  }
  return to + size;
}

/** The digit of base64 for a value of six bits. */
function digit(v: u32): u32 {
  return v < 26 ? v + 65 : v < 52 ? v + 71 : v < 62 ? v - 4 : v == 62 ? 43 : 47;
}

/** The value of a digit of base64; 64 where it is none. */
function sixBits(c: u32): u32 {
  if (c - 65 < 26) return c - 65;
  if (c - 97 < 26) return c - 71;
  if (c - 48 < 10) return c + 4;
  return c == 43 ? 62 : c == 47 ? 63 : 64;
}

function encode(from: usize, bytes: usize, to: usize): usize {
  for (let i: usize = 0; i < bytes; i += 3, to += 4) {
    const left = bytes - i;
    const b = <u32>load<u8>(from + i), c = left > 1 ? <u32>load<u8>(from + i, 1) : 0, d = left > 2 ? <u32>load<u8>(from + i, 2) : 0;
    store<u8>(to, digit(b >> 2));
    store<u8>(to, digit(((b & 3) << 4) | (c >> 4)), 1);
    store<u8>(to, left > 1 ? digit(((c & 15) << 2) | (d >> 6)) : 61, 2);
    store<u8>(to, left > 2 ? digit(d & 63) : 61, 3);
  }
  return to;
}

/** Writes what base64 with padding stands for, if it has `size` bytes; returns their number, 2^32−1 where it is another or a digit is wrong. */
function decode(from: usize, end: usize, to: usize, size: u32): u32 {
  if (end - from != <usize>((<u64>size + 2) / 3 * 4)) return u32.MAX_VALUE;
  for (let k: u32 = 0; k < size; k += 3, from += 4) {
    const left = size - k;
    const a = sixBits(load<u8>(from)), b = sixBits(load<u8>(from, 1));
    const c = left > 1 ? sixBits(load<u8>(from, 2)) : 0, d = left > 2 ? sixBits(load<u8>(from, 3)) : 0;
    if ((a | b | c | d) & 64) return u32.MAX_VALUE;
    if (left < 2 && (b & 15 || load<u8>(from, 2) != 61)) return u32.MAX_VALUE;
    if (left < 3 && (c & 3 || load<u8>(from, 3) != 61)) return u32.MAX_VALUE;
    store<u8>(to + k, (a << 2) | (b >> 4));
    if (left > 1) store<u8>(to + k, (b << 4) | (c >> 2), 1);
    if (left > 2) store<u8>(to + k, (c << 6) | d, 2);
  }
  return size;
}
