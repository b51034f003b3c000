/**
 * The interface of a compiled model: checks of inputs, and runs in slices (docs/aot.md). State lies at address 0, so that a copy of the memory is
 * a snapshot: the call at hand (0: none), and how many of its units are done.
 *
 * Header: first call, end of calls, inputs, outputs, gas (i64); then of each input address, bytes, values to check, bytes of a value, lo, hi, and
 * where calls read it; then of each output address and bytes. Call: kernel and bytes of the record · 2^16, units, quarters of gas a unit, arguments.
 */
import { read } from '../wasm/simd';
import { missing } from './chunks';

/** Where the header is; set when the module is linked. */
export let header: usize = 0;

/** Runs units from…to−1 of the call at `record`; made when the module is linked. */
// @ts-ignore: decorator
@external("link", "dispatch")
declare function dispatch(from: u32, to: u32, record: usize): void;

/** Results of `step` and `check`. */
const DONE = 0, MORE = 1, WRONG_LENGTH = -1, OUT_OF_RANGE = -2, NO_INPUT = -3, NOT_LOADED = -4;

function input(i: u32): usize {
  return header + 24 + i * 28;
}

function output(i: u32): usize {
  return input(load<u32>(header, 8)) + (i << 3);
}

/** Number of inputs; states are among them. */
export function input_count(): u32 {
  return load<u32>(header, 8);
}

/** Number of outputs. */
export function output_count(): u32 {
  return load<u32>(header, 12);
}

/** Address of input i; 0 if there is none. */
export function input_ptr(i: u32): u32 {
  return i < input_count() ? load<u32>(input(i)) : 0;
}

/** Bytes of input i; 0 if there is none. */
export function input_len(i: u32): u32 {
  return i < input_count() ? load<u32>(input(i), 4) : 0;
}

/** Address of output i; 0 if there is none. */
export function output_ptr(i: u32): u32 {
  return i < output_count() ? load<u32>(output(i)) : 0;
}

/** Bytes of output i; 0 if there is none. */
export function output_len(i: u32): u32 {
  return i < output_count() ? load<u32>(output(i), 4) : 0;
}

/** Gas of a run under schedule 1. */
export function gas(): u64 {
  return load<u64>(header, 16);
}

/** Whether `bytes` bytes at input_ptr(i) are a value of input i. */
export function check(i: u32, bytes: u32): i32 {
  if (i >= input_count()) return NO_INPUT;
  const r = input(i), size = load<u32>(r, 12), lo = load<i32>(r, 16), hi = load<i32>(r, 20);
  if (bytes != load<u32>(r, 4)) return WRONG_LENGTH;
  let p: usize = load<u32>(r);
  for (const end = p + load<u32>(r, 8) * size; p < end; p += size) {
    const v = read(p, size);
    if (v < lo || v > hi) return OUT_OF_RANGE;
  }
  return DONE;
}

/** Copies every input to where calls read it: a host may write the next one while a run is under way. Areas end at words of 8 bytes. */
function take(): void {
  for (let i: u32 = 0; i < input_count(); i++) {
    const r = input(i), from = load<u32>(r), to = load<u32>(r, 24), bytes = load<u32>(r, 4);
    for (let k: u32 = 0; k < bytes; k += 8) store<u64>(to + k, load<u64>(from + k));
  }
}

/** Runs for about `budget` gas, at least one unit; starts where no run is under way, with checks. */
export function step(budget: i64): i32 {
  if (missing()) return NOT_LOADED;
  let at: usize = load<u32>(0), done = load<u32>(4);
  if (at == 0) {
    for (let i: u32 = 0; i < input_count(); i++) {
      const error = check(i, input_len(i));
      if (error) return error;
    }
    take();
    at = load<u32>(header);
  }
  const end: usize = load<u32>(header, 4);
  let left = budget < 0 ? 0 : budget > i64.MAX_VALUE >> 2 ? i64.MAX_VALUE : budget << 2;
  while (at < end) {
    const units = load<u32>(at, 4), price = <i64>load<u32>(at, 8);
    const most = left < price ? 1 : left / price;
    const n = <i64>(units - done) < most ? units - done : <u32>most;
    dispatch(done, done + n, at);
    done += n;
    left -= <i64>n * price;
    if (done == units) {
      at += load<u16>(at, 2);
      done = 0;
    }
    if (left <= 0) break;
  }
  const more = at < end;
  store<u32>(0, more ? at : 0);
  store<u32>(0, done, 4);
  return more ? MORE : DONE;
}

/** A whole run from its start. */
export function infer(): i32 {
  const at = load<u32>(0), done = load<u32>(4);
  store<u32>(0, 0);
  store<u32>(0, 0, 4);
  const result = step(i64.MAX_VALUE);
  if (result < 0) {
    store<u32>(0, at);
    store<u32>(0, done, 4);
  }
  return result;
}
