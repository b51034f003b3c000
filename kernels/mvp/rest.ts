/** Pools, reductions, running sums, resizing and rotations; records are those of kernels/wasm. */
import { ndNext, ndStart, p0, p1 } from '../wasm/nd';
import { endTap, firstTap } from '../wasm/pool';
import { sinq } from '../wasm/rope';
import { floorDiv, own, read, rsh, scratch, write } from '../wasm/simd';
import { stage1 } from './elementwise';

// @ts-ignore: decorator
@inline
function pool(from: i32, to: i32, r: usize, x: usize, out: usize, avg: bool): void {
  const OH = load<i32>(r, 4), OW = load<i32>(r, 8), H = load<i32>(r, 12), W = load<i32>(r, 16), C = load<i32>(r, 20), KH = load<i32>(r, 24), KW = load<i32>(r, 28);
  const dh = load<i32>(r, 40), dw = load<i32>(r, 44), size = load<i32>(r, 64), bytes = C * size, ty = avg ? load<i32>(r, 96) : size, zx = avg ? load<i32>(r, 68) : 0;
  const colStep = <usize>dw * bytes, rowStep = <usize>dh * W * bytes, stage = own();
  if (avg) for (let i: usize = 4; i < 24; i += 4) store<u32>(stage + i, load<u32>(r + 76 + i));
  out += <usize>from * OW * C * ty;
  for (; from < to; from++) {
    const y = (from % OH) * load<i32>(r, 32) - load<i32>(r, 48), ky = firstTap(y, dh), ny = endTap(y, dh, KH, H) - ky;
    const image = x + <usize>(from / OH) * H * W * bytes;
    for (let j = 0; j < OW; j++) {
      const z = j * load<i32>(r, 36) - load<i32>(r, 52), kx = firstTap(z, dw), nx = endTap(z, dw, KW, W) - kx;
      let p = image + (<usize>(y + ky * dh) * W + (z + kx * dw)) * bytes;
      if (avg) {
        const n = load<i32>(r, 72) ? endTap(y, dh, KH, H + load<i32>(r, 56)) * endTap(z, dw, KW, W + load<i32>(r, 60)) : ny * nx;
        store<i32>(stage, <i32>floorDiv(2 * <i64>load<i32>(r, 76) + n, 2 * <i64>n));
      }
      for (const end = p + bytes; p < end; p += size, out += ty) {
        let v = avg ? -zx * ny * nx : i32.MIN_VALUE, row = p;
        for (let k = 0; k < ny; k++, row += rowStep) {
          for (let q = row, stop = row + nx * colStep; q != stop; q += colStep) {
            const u = read(q, size);
            v = avg ? v + u : max(v, u);
          }
        }
        if (avg) stage1(out, v, stage);
        else write(out, v, size);
      }
    }
  }
}

/** max_pool2d; units are output rows. */
export function maxPool(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  pool(from, to, r, x, out, false);
}

/** avg_pool2d; units are output rows. */
export function avgPool(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  pool(from, to, r, x, out, true);
}

/** Sums (op 0), least (1) and greatest (2) values in accumulators in scratch. */
export function reduce(from: i32, to: i32, nd: usize, r: usize, y: usize): void {
  const n = load<i32>(nd), stride = load<u32>(nd, 24), op = load<i32>(r), size = load<i32>(r, 4), each = load<i32>(r, 8), runs = load<i32>(r, 52);
  const depth = load<i32>(r, 20), step = load<i32>(r, 24), ty = load<i32>(r, 48), before = <usize>from * each, outputs = (to - from) * each;
  let acc = scratch();
  y += before * ty;
  for (let i = 0; i < outputs; i++) store<i32>(acc + (<usize>i << 2), load<i32>(r, 12));
  ndStart(nd, from * runs, to * runs);
  while (ndNext()) {
    let q = acc + p1 - (before << 2), p = p0;
    for (let i = 0; i < n; i++, p += size, q += stride) {
      let v = load<i32>(q);
      for (let k = 0, t = p; k < depth; k++, t += step) {
        const u = read(t, size);
        v = op == 0 ? v + u : op == 1 ? min(v, u) : max(v, u);
      }
      store<i32>(q, v);
    }
  }
  for (let i = 0; i < outputs; i++, acc += 4, y += ty) stage1(y, load<i32>(acc), r + 28);
}

/** Running sums of x − zx along the middle axis; units are blocks of eight lines. */
export function cumsum(from: u32, to: u32, x: usize, y: usize, K: i32, inner: u32, size: i32, zx: i32, exclusive: i32, reverse: i32): void {
  const blocks = (inner + 7) >> 3, jump = <isize>inner * (reverse ? -1 : 1);
  for (; from < to; from++) {
    const column = (from % blocks) << 3;
    for (let c = column, end = min(inner, column + 8); c < end; c++) {
      let at = (<usize>(from / blocks) * K + <usize>(reverse ? K - 1 : 0)) * inner + c, sum = 0;
      for (let k = 0; k < K; k++, at += jump) {
        const next = sum + read(x + at * size, size) - zx;
        store<i32>(y + (at << 2), exclusive ? sum : next);
        sum = next;
      }
    }
  }
}

/** n words of a value; one unit. */
export function fill(_from: i32, _to: i32, y: usize, n: u32, value: u32): void {
  for (const end = y + (<usize>n << 2); y < end; y += 4) store<u32>(y, value);
}

/** resize_bilinear; units are output rows. */
export function bilinear(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const OH = load<i32>(r, 4), OW = load<i32>(r, 8), C = load<i32>(r, 12), size = load<i32>(r, 16), one = load<i32>(r, 32), s = load<i32>(r, 36), ty = load<i32>(r, 64);
  y += <usize>from * OW * C * ty;
  for (; from < to; from++) {
    const row = <usize>load<u32>(r, 24) + <usize>(from % OH) * 12, top = x + <usize>(from / OH) * load<u32>(r, 20) + load<u32>(row);
    const below = load<u32>(row, 4) - load<u32>(row), wy = load<i32>(row, 8);
    for (let j = 0, col = <usize>load<u32>(r, 28); j < OW; j++, col += 12) {
      const wx = load<i32>(col, 8);
      let p = top + load<u32>(col), q = top + load<u32>(col, 4);
      for (const end = p + C * size; p < end; p += size, q += size, y += ty) {
        const u = rsh(read(p, size) * (one - wy) + read(p + below, size) * wy, s), v = rsh(read(q, size) * (one - wy) + read(q + below, size) * wy, s);
        stage1(y, load<i32>(r, 40) + u * (one - wx) + v * wx, r + 44);
      }
    }
  }
}

/** rope; units are rows of S. */
export function rope(from: u32, to: u32, r: usize, x: usize, y: usize): void {
  const outer = load<u32>(r), S = load<u32>(r, 4), D = load<i32>(r, 8), size = load<i32>(r, 12), pairs = load<i32>(r, 16), mixed = load<i32>(r, 20);
  const steps = load<u32>(r, 24), sines = load<u32>(r, 28), ty = load<i32>(r, 60), first = load<u32>(r, 36) ? load<u32>(load<u32>(r, 36)) : load<u32>(r, 32);
  for (; from < to; from++) {
    for (let i = 0; i < D; i++) {
      const turned = i < 2 * pairs, second = turned && (mixed ? i & 1 : i32(i >= pairs)), pair = mixed ? i >> 1 : i - second * pairs;
      const other = mixed ? i ^ 1 : second ? i - pairs : i + pairs;
      let c = 16384, s = 0;
      if (turned) {
        const phase = (first + from) * load<u32>(steps + (<usize>pair << 2));
        s = sinq(phase, sines);
        c = sinq(phase + 0x40000000, sines);
        if (!second) s = -s;
      }
      for (let k: u32 = 0; k < outer; k++) {
        const at = <usize>(k * S + from) * D;
        stage1(y + (at + i) * ty, read(x + (at + i) * size, size) * c + (turned ? read(x + (at + other) * size, size) * s : 0), r + 40);
      }
    }
  }
}
