/**
 * Lowers dense and conv2d: positions, the words of each window, rows in the code and rows in data.
 * @module
 */

import { hex } from '../../core/digest.ts';
import { floorDiv } from '../../core/int.ts';
import { elementCount } from '../../core/tensor.ts';
import { type Assembler, at, type Blob, type Ptr, type Walk } from './asm.ts';
import { type Emitter, patchOf, type Segment } from './emitter.ts';
import { emitPack } from './io.ts';
import { flat, flatStrides, imageDims, type Packed, packedWords, padded, runWalk } from './layout.ts';
import { type LinearNode, type Patch, rowsOf } from './linear.ts';
import {
  type Planes,
  planesOf,
  pushDataRow,
  pushMask,
  pushOffset,
  pushPlanesOffset,
  pushRow,
  type Rows,
  type Sink,
  type Words,
} from './rows.ts';
import { shift } from './words.ts';

/** Turns words of one pixel into words of a patch of pixels, in place. */
function emitPatch(a: Assembler, f: Packed, patch: Patch, base: number): void {
  const pixel = f.bits * f.run;
  const total = packedWords(f);
  if (patch.w > 1) {
    const row = a.push(0);
    a.grid(
      [total],
      [flat(base)],
      ([p]) => {
        const { height } = a;
        a.dup(row);
        shift(a, pixel, 'SHL');
        a.load(p!);
        shift(a, pixel * (patch.w - 1), 'SHR');
        a.op('ADD');
        a.dup(height);
        a.store(at(p!, -32 * (patch.w - 1)));
        a.swap(height - row);
        a.op('POP');
      },
      8,
    );
    a.drop(row);
  }
  if (patch.h > 1) {
    const { w } = padded(f);
    a.grid(
      [Math.max(0, total - (patch.h - 1) * w)], // an empty batch has no words
      [flat(base)],
      ([p]) => {
        a.load(p!);
        for (let dy = 1; dy < patch.h; dy++) {
          a.load(at(p!, 32 * dy * w));
          shift(a, pixel * patch.w * dy, 'SHR');
          a.op('ADD');
        }
        a.store(p!);
      },
      8,
    );
  }
}

/** Places the data of rows 0…count − 1, whole blocks of `block` rows together. Nodes with equal data share them. */
function place(e: Emitter, p: Planes, count: number, block: number): readonly Segment[] {
  const all = new Uint8Array(count * p.rowBytes);
  for (let o = 0; o < count; o++) all.set(p.row(o), o * p.rowBytes);
  const key = `${block} ${p.rowBytes} ${hex(all)}`;
  const known = e.rows.get(key);
  if (known !== undefined) return known;
  const segments: Segment[] = [];
  for (let from = 0; from < count; ) {
    const blocks = Math.max(1, floorDiv(e.room(), block * p.rowBytes));
    const rows = Math.min(count - from, blocks * block);
    segments.push({ blob: e.blob(all.slice(from * p.rowBytes, (from + rows) * p.rowBytes)), rows });
    from += rows;
  }
  e.rows.set(key, segments);
  return segments;
}

/** Rows that are copied at a time where the result is one element a word. */
const SCALAR_BLOCK = 8;

/** Emits rows whose weights lie in data; `resident` is where they lie in memory, `buffer` where a block is copied to otherwise. */
function emitDataRows(
  a: Assembler,
  r: Rows,
  p: Planes,
  segments: readonly Segment[],
  where: { readonly resident?: number; readonly buffer: number },
  x: Words,
  out: Ptr,
  sink: Sink,
): void {
  const { height } = a;
  const offset = pushPlanesOffset(a, r, x);
  const mask = pushMask(a, r);
  const target = a.height;
  a.address(out);
  const { resident, buffer } = where;
  const block = (source: number, size: number): void => {
    const start = a.height;
    const bytes = size * p.rowBytes;
    if (resident !== undefined) {
      a.dup(source);
      a.push(bytes);
      a.op('ADD');
      a.dup(source);
    } else a.push(buffer);
    const row = a.height - 1;
    if (sink.packed) a.push(0);
    a.repeat(
      size,
      () => {
        if (sink.packed && size > 1) shift(a, sink.bits, 'SHL');
        pushDataRow(a, r, p, { slot: row, base: 0 }, x, { offset, mask });
        if (sink.packed) a.op('ADD');
        else {
          a.dup(target);
          a.op('MSTORE');
          a.advance(target, 32);
        }
        a.advance(row, p.rowBytes);
      },
      () => {
        a.dup(row);
        if (resident === undefined) a.push(buffer + bytes);
        else a.dup(start);
        a.op('SUB');
      },
    );
    if (sink.packed) {
      shift(a, 256 - sink.bits * size, 'SHL');
      a.dup(target);
      a.op('MSTORE');
      a.advance(target, 32);
    }
    a.drop(start);
  };
  const run = (source: number, blob: Blob | undefined, rows: number): void => {
    const size = sink.packed ? sink.per : resident === undefined ? Math.min(rows, SCALAR_BLOCK) : rows;
    const full = floorDiv(rows, size);
    const one = (n: number): void => {
      if (blob !== undefined) a.copy(blob, () => a.dup(source), n * p.rowBytes, buffer);
      block(source, n);
      a.advance(source, n * p.rowBytes);
    };
    a.loop(full, () => one(size));
    if (rows > full * size) one(rows - full * size);
  };
  if (resident !== undefined)
    run(
      a.push(resident),
      undefined,
      segments.reduce((n, s) => n + s.rows, 0),
    );
  else
    for (const s of segments) {
      const source = a.blobOffset(s.blob, 0);
      run(source, s.blob, s.rows);
      a.drop(source);
    }
  a.drop(height);
}

/** Emits rows whose weights stand in the code. */
function emitCodeRows(a: Assembler, r: Rows, from: number, x: Words, out: Ptr, sink: Sink): void {
  const { height } = a;
  const offset = pushOffset(a, r);
  const reach = out.slot === undefined ? 12 : Math.min(12, 13 - (a.height - out.slot));
  const slots = r.groups.slice(0, Math.max(0, reach)).map((_, g) => {
    a.load(x.memory(g));
    return a.height - 1;
  });
  const words = { ...x, slots };
  // A word that rows in data began is taken up again.
  if (sink.packed && from % sink.per > 0) a.load(at(out, 32 * floorDiv(from, sink.per)));
  for (let o = from; o < r.count; o++) {
    const k = sink.packed ? o % sink.per : 0;
    pushRow(a, r, o, words, offset, sink);
    if (sink.packed) {
      shift(a, 256 - sink.bits * (k + 1), 'SHL');
      if (k > 0) a.op('ADD');
      if (k < sink.per - 1 && o < r.count - 1) continue;
    }
    a.store(at(out, 32 * (sink.packed ? floorDiv(o, sink.per) : o)));
  }
  a.drop(height);
}

/** Positions of a node, and how its window moves over the input. */
function positions(e: Emitter, node: number, n: LinearNode, f: Packed, base: number): { dims: number[]; x: Walk } {
  const { shape } = e.type(e.model.info[node]!.outputs[0]!);
  const step = 32 * f.words;
  if (e.model.nodes[node]!.op === 'dense') {
    const dims = [elementCount(shape.slice(0, -1))];
    return { dims, x: { base, strides: [step * floorDiv(n.channels, f.run || 1)] } };
  }
  const dims = imageDims(shape);
  if (
    f.dims[1] === 1 &&
    f.dims[0] === 1 &&
    f.pads === undefined &&
    n.kernel[0] * n.kernel[1] === 1 &&
    n.strides[0] * n.strides[1] === 1
  )
    return { dims, x: { base, strides: flatStrides(dims, step) } };
  const { h, w } = padded(f);
  return { dims, x: { base, strides: [h * w * step, n.strides[0] * w * step, n.strides[1] * step] } };
}

/** The sink of a tensor. */
function sinkOf(e: Emitter, tensor: number): Sink {
  const f = e.layout(tensor);
  if (f === undefined) return { bits: 256, per: 1, base: 0, packed: false };
  return { bits: f.bits, per: f.per, base: f.lo, packed: true };
}

/** Lowers a dense or a conv2d. */
export function emitProducts(e: Emitter, node: number): void {
  const { a } = e;
  const n = e.linear(node);
  const y = e.model.info[node]!.outputs[0]!;
  const own = e.layout(n.x);
  const { layout, patch } = patchOf(e, node, own?.run ?? n.channels);
  const f = own ?? layout;
  const bytes = 32 * (packedWords(f) + f.slack);
  let base = e.place(n.x);
  let packedAt: { base: number; at: number } | undefined;
  if (own === undefined) {
    packedAt = e.reserve(f, 0);
    emitPack(e, base, f, packedAt.base);
    ({ base } = packedAt);
  }
  emitPatch(a, f, patch, base);
  const rows = rowsOf(n, f, patch);
  const out = e.place(y);
  const result = e.layout(y);
  const sink = sinkOf(e, y);
  const { dims, x } = positions(e, node, n, f, base);
  const target: Walk =
    result === undefined ? { base: out, strides: flatStrides(dims, 32 * rows.count) } : runWalk(result, out, dims);
  const dataRows = e.choices[node]?.dataRows ?? 0;
  const planes = planesOf(rows, dataRows, sink);
  const block = sink.packed ? sink.per : 1;
  const segments = dataRows > 0 ? place(e, planes, dataRows, block) : [];
  const single = elementCount(dims) === 1;
  const size = sink.packed ? sink.per : SCALAR_BLOCK;
  const need = dataRows === 0 ? 0 : (single ? Math.min(size, dataRows) : dataRows) * planes.rowBytes;
  e.temporary(need + 32 * rows.groups.length, (held) => {
    const window = held + need;
    if (!single) {
      let done = held;
      for (const s of segments) {
        a.copy(s.blob, () => a.blobOffset(s.blob, 0), s.blob.bytes.length, done);
        done += s.blob.bytes.length;
      }
    }
    a.grid(dims, [x, target], ([from, to]) => {
      let memory = (g: number): Ptr => at(from!, rows.groups[g]!.offset);
      if (from!.slot !== undefined) {
        rows.groups.forEach((_, g) => {
          a.load(memory(g));
          a.store({ base: window + 32 * g });
        });
        memory = (g) => ({ base: window + 32 * g });
      }
      const words: Words = { slots: [], memory };
      if (dataRows > 0)
        emitDataRows(
          a,
          rows,
          planes,
          segments,
          single ? { buffer: held } : { resident: held, buffer: held },
          words,
          to!,
          sink,
        );
      if (dataRows < rows.count) emitCodeRows(a, rows, dataRows, words, to!, sink);
    });
  });
  if (packedAt !== undefined) e.memory.give(packedAt.at, bytes);
}
