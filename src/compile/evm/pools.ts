/**
 * Lowers the pools: max_pool2d on packed words, avg_pool2d one element a word.
 * @module
 */
import { roundDiv } from '../../core/int.ts';
import type { Output } from '../../ops/define.ts';
import { at, type Walk } from './asm.ts';
import { stageTop } from './elementwise.ts';
import type { Emitter } from './emitter.ts';
import { emitPack } from './io.ts';
import { fieldsOf, flatStrides, imageDims, packedWords, padded, runWalk } from './layout.ts';
import { emitSum } from './lines.ts';
import { bitLength } from './rows.ts';
import { add, shift } from './words.ts';

interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** The greater of the two words on top, field by field: fields hold at most `bits` bits and one more is free. */
function fieldMax(e: Emitter, guard: number, bits: number): void {
  const { a } = e;
  // [b, a] → t = (a | guard) − b; its guard bits say where a ≥ b; there t − guard is a − b
  a.dup(guard);
  a.op('OR');
  const b = a.height - 2;
  a.dup(b);
  a.swap(1);
  a.op('SUB');
  a.dup(a.height - 1);
  a.dup(guard);
  a.op('AND');
  a.dup(a.height - 1);
  a.push(bits);
  a.op('SHR');
  a.swap(1);
  a.op('SUB', 'AND', 'ADD');
}

/** max_pool2d on packed words. */
export function emitMaxPool(e: Emitter, i: number): void {
  const { a } = e;
  const { inputs, attrs } = e.model.nodes[i]!;
  const [x] = inputs as [number];
  const w = attrs as unknown as Window;
  const y = e.model.info[i]!.outputs[0]!;
  const f = e.poolLayout(i);
  const out = e.layout(y);
  const same = out !== undefined && out.bits === f.bits && out.run === f.run && out.lo === f.lo;
  let base = e.place(x);
  let own: { base: number; at: number } | undefined;
  if (e.layout(x) === undefined) {
    own = e.reserve(f, 0);
    emitPack(e, base, f, own.base);
    ({ base } = own);
  }
  const to = e.place(y);
  const dims = imageDims(e.type(y).shape);
  const { h, w: wide } = padded(f);
  const step = 32 * f.words;
  const from: Walk = { base, strides: [h * wide * step, w.strides[0] * wide * step, w.strides[1] * step] };
  const target: Walk = same ? runWalk(out, to, dims) : { base: to, strides: flatStrides(dims, 32 * f.run) };
  const bits = Math.max(1, bitLength(f.span));
  let word = 0n;
  for (let end = 256 - f.bits; end >= 0; end -= f.bits) word |= 1n << BigInt(end + bits);
  const guard = a.push(word);
  for (let g = 0; g < f.words; g++) {
    a.grid(dims, [{ ...from, base: from.base + 32 * g }, target], ([p, q]) => {
      for (let ky = 0; ky < w.kernel[0]; ky++)
        for (let kx = 0; kx < w.kernel[1]; kx++) {
          a.load(at(p!, step * (ky * w.dilations[0] * wide + kx * w.dilations[1])));
          if (ky + kx > 0) fieldMax(e, guard, bits);
        }
      if (same) {
        a.store(at(q!, 32 * g));
        return;
      }
      const slot = a.height - 1;
      for (let k = 0; k < fieldsOf(f, g); k++) {
        a.dup(slot);
        shift(a, 256 - f.bits * (k + 1), 'SHR');
        if (k > 0) {
          a.push((1n << BigInt(bits)) - 1n);
          a.op('AND');
        }
        add(a, f.lo);
        a.store(at(q!, 32 * (g * f.per + k)));
      }
      a.drop(slot);
    });
  }
  a.drop(guard);
  if (own !== undefined) e.memory.give(own.at, 32 * packedWords(f));
}

/** Taps of one output along an axis: the first, and how many. */
function taps(o: number, w: Window, axis: 0 | 1, size: number): { first: number; valid: number; declared: number } {
  const start = o * w.strides[axis] - w.pads[axis];
  let [first, valid, declared] = [0, 0, 0];
  for (let k = 0; k < w.kernel[axis]; k++) {
    const t = start + k * w.dilations[axis];
    if (t < size + w.pads[(axis + 2) as 2 | 3]) declared++;
    if (t < 0 || t >= size) continue;
    if (valid++ === 0) first = t;
  }
  return { first, valid, declared };
}

/** avg_pool2d: outputs with equal taps in one loop where no window leaves the image, else one by one. */
export function emitAvgPool(e: Emitter, i: number): void {
  const { a } = e;
  const { inputs, attrs } = e.model.nodes[i]!;
  const w = attrs as unknown as Window & { include_pad: boolean; m1: number; l: number; output: Output };
  const x = e.type(inputs[0]!);
  const y = e.model.info[i]!.outputs[0]!;
  const [, h, wide, c] = x.shape as [number, number, number, number];
  const [n, oh, ow] = e.type(y).shape as [number, number, number];
  const [from, to] = [e.place(inputs[0]!), e.place(y)];
  const rows = Array.from({ length: oh }, (_, o) => taps(o, w, 0, h));
  const columns = Array.from({ length: ow }, (_, o) => taps(o, w, 1, wide));
  const whole = [...rows.map((t) => t.valid === w.kernel[0]), ...columns.map((t) => t.valid === w.kernel[1])].every(
    Boolean,
  );
  const inner = [w.dilations[0] * wide * c * 32, w.dilations[1] * c * 32];
  const one = (oy: number, ox: number, dims: number[]): void => {
    const [ty, tx] = [rows[oy]!, columns[ox]!];
    const count = w.include_pad ? ty.declared * tx.declared : ty.valid * tx.valid;
    const sum = ty.valid * tx.valid;
    a.grid(
      dims,
      [
        {
          base: from + 32 * c * (ty.first * wide + tx.first),
          strides: [h * wide * c * 32, w.strides[0] * wide * c * 32, w.strides[1] * c * 32, 32],
        },
        { base: to + 32 * c * (oy * ow + ox), strides: [oh * ow * c * 32, ow * c * 32, c * 32, 32] },
      ],
      ([p, q]) => {
        emitSum(e, p!, [ty.valid, tx.valid], inner, -x.zp * sum);
        stageTop(e, { ...w.output, l: w.l }, roundDiv(w.m1, count), sum * (x.lo - x.zp), sum * (x.hi - x.zp));
        a.store(q!);
      },
    );
  };
  if (whole) one(0, 0, [n, oh, ow, c]);
  else for (let oy = 0; oy < oh; oy++) for (let ox = 0; ox < ow; ox++) one(oy, ox, [n, 1, 1, c]);
}
