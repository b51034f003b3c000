/** Reductions over axes (spec/10-ops.md §4). */
import { load32 } from './elementwise';
import { ndNext, ndStart, p0, p1 } from './nd';
import { read, scratch, stage8, store8, tail } from './simd';

// @ts-ignore: decorator
@inline
function join4(u: v128, v: v128, op: i32): v128 {
  return op == 0 ? i32x4.add(u, v) : op == 1 ? i32x4.min_s(u, v) : i32x4.max_s(u, v);
}

function join(u: i32, v: i32, op: i32): i32 {
  return op == 0 ? u + v : op == 1 ? min(u, v) : max(u, v);
}

/** Joins four lanes and n elements into one accumulator. */
function fold(acc: usize, u: v128, x: usize, n: i32, size: i32, op: i32): void {
  let t = load<i32>(acc);
  v128.store(tail(), u);
  for (let i = 0; i < 4; i++) t = join(t, load<i32>(tail() + (i << 2)), op);
  for (; n > 0; n--) {
    t = join(t, read(x, size), op);
    x += size;
  }
  store<i32>(acc, t);
}

/**
 * Sums (op 0), least (1) and greatest (2) values in i32 accumulators, which lie in scratch, then the stage. Operand 0 of nd is x;
 * operand 1 counts from scratch: the accumulators of an inner run are neighbours, each of which takes `depth` elements of x, `step`
 * bytes apart, or one (inner stride 0). A unit is a number of runs that share no accumulator with others. Record: op, bytes of x,
 * outputs of a unit, first value, neutral value, depth, step, stage, runs of a unit.
 */
export function reduce(from: i32, to: i32, nd: usize, r: usize, y: usize): void {
  const n = load<i32>(nd), op = load<i32>(r), size = load<i32>(r, 4), each = load<i32>(r, 8), runs = load<i32>(r, 52), across = load<i32>(nd, 24) == 0;
  const depth = across ? n >> 3 : load<i32>(r, 20), step = across ? size << 3 : load<i32>(r, 24), ty = load<i32>(r, 48);
  const before = <usize>from * each, outputs = (to - from) * each;
  let acc = scratch();
  y += before * ty;
  for (let i = 0; i < outputs; i += 4) v128.store(acc + (<usize>i << 2), v128.load_splat<i32>(r + 12));
  ndStart(nd, from * runs, to * runs);
  while (ndNext()) {
    const q = acc + p1 - (before << 2);
    for (let i = 0; i < n; i += 8) {
      let p = p0 + i * size, u: v128, v: v128;
      if (across) u = v = v128.load_splat<i32>(r + 16);
      else {
        u = v128.load(q + (i << 2));
        v = v128.load(q + (i << 2), 16);
      }
      for (let k = 0; k < depth; k++) {
        u = join4(u, load32(p, size, 1), op);
        v = join4(v, load32(p + (size << 2), size, 1), op);
        p += step;
      }
      if (across) {
        fold(q, join4(u, v, op), p, n & 7, size, op);
        break;
      }
      store8(q + (i << 2), u, v, n - i, 4);
    }
  }
  for (let i = 0; i < outputs; i += 8) {
    stage8(y, v128.load(acc), v128.load(acc, 16), outputs - i, r + 28);
    acc += 32;
    y += ty << 3;
  }
}
