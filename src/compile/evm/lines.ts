/**
 * Lowers ops that look at several elements for one result: pools, reductions, arg, softmax, matmul.
 * @module
 */
import { EXP2 } from '../../core/exp2.ts';
import { floorDiv, roundDiv } from '../../core/int.ts';
import type { Output, Stage } from '../../ops/define.ts';
import { at, type Ptr, type Walk } from './asm.ts';
import { broadcastWalk, stageTop, wholeWalk } from './elementwise.ts';
import type { Emitter } from './emitter.ts';
import { CompileError } from './errors.ts';
import { emitPack } from './io.ts';
import { fieldsOf, flatStrides, imageDims, packedWords, padded, runWalk } from './layout.ts';
import { bitLength } from './rows.ts';
import { add, clampTop, positivePart, shift } from './words.ts';

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

/** Pushes a constant plus the sum of a nest of elements. */
function emitSum(e: Emitter, p: Ptr, dims: readonly number[], strides: readonly number[], constant: number): void {
  const { a } = e;
  const sum = a.push(0);
  a.grid(
    dims,
    [{ ...p, strides }],
    ([t]) => {
      a.load(t!);
      a.combine(sum, () => a.op('ADD'));
    },
    8,
  );
  add(a, constant);
}

/** reduce_sum, reduce_mean, reduce_max, reduce_min. */
export function emitReduce(e: Emitter, i: number): void {
  const { a } = e;
  const { op, inputs, attrs } = e.model.nodes[i]!;
  const { axes, stage, m1, l, output } = attrs as unknown as {
    axes: readonly number[];
    stage?: Stage;
    m1: number;
    l: number;
    output: Output;
  };
  const x = e.type(inputs[0]!);
  const y = e.model.info[i]!.outputs[0]!;
  const all = flatStrides(x.shape, 32);
  const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const inner = axes.map((d) => x.shape[d]!);
  const strides = axes.map((d) => all[d]!);
  const n = inner.reduce((p, d) => p * d, 1);
  const walks = [{ base: e.place(inputs[0]!), strides: kept.map((d) => all[d]!) }, wholeWalk(e, y)];
  a.grid(
    kept.map((d) => x.shape[d]!),
    walks,
    ([p, q]) => {
      if (op === 'reduce_sum' || op === 'reduce_mean') {
        emitSum(e, p!, inner, strides, -x.zp * n);
        const [from, to] = [n * (x.lo - x.zp), n * (x.hi - x.zp)];
        if (op === 'reduce_mean') stageTop(e, { ...output, l }, roundDiv(m1, n), from, to);
        else if (stage !== undefined) stageTop(e, stage, stage.m[0]!, from, to);
      } else {
        const sign = op === 'reduce_max' ? 1 : -1;
        emitGreatest(e, p!, inner, strides, sign);
        if (sign < 0) negate(e);
      }
      a.store(q!);
    },
  );
}

function negate(e: Emitter): void {
  e.a.push(0);
  e.a.op('SUB');
}

/** Replaces [a, b] on top by the greater. */
function maxTop(e: Emitter): void {
  const { a } = e;
  a.dup(a.height - 1);
  a.swap(2);
  a.op('SUB');
  positivePart(a);
  a.op('ADD');
}

/** Pushes the greatest sign·element of a nest of at least one. */
function emitGreatest(e: Emitter, p: Ptr, dims: readonly number[], strides: readonly number[], sign: 1 | -1): void {
  const { a } = e;
  a.load(p);
  if (sign < 0) negate(e);
  const best = a.height - 1;
  a.grid(
    dims,
    [{ ...p, strides }],
    ([t]) => {
      a.load(t!);
      if (sign < 0) negate(e);
      a.combine(best, () => maxTop(e));
    },
    4,
  );
}

/** Bits below an element in a key of argmax: they hold its address. */
const KEY = 32;

/** argmax and argmin: the greatest of keys that hold element and address. */
export function emitArg(e: Emitter, i: number): void {
  const { a } = e;
  const { op, inputs, attrs } = e.model.nodes[i]!;
  const { axis, select_last: last } = attrs as unknown as { axis: number; select_last: boolean };
  const x = e.type(inputs[0]!);
  const y = e.model.info[i]!.outputs[0]!;
  const all = flatStrides(x.shape, 32);
  const kept = x.shape.map((_, d) => d).filter((d) => d !== axis);
  const top = 2 ** KEY - 1;
  a.grid(
    kept.map((d) => x.shape[d]!),
    [{ base: e.place(inputs[0]!), strides: kept.map((d) => all[d]!) }, wholeWalk(e, y)],
    ([p, q]) => {
      const key = (t: Ptr): void => {
        a.load(t);
        if (op === 'argmin') negate(e);
        shift(a, KEY, 'SHL');
        if (last) a.address(t);
        else {
          a.address(t);
          a.push(top);
          a.op('SUB');
        }
        a.op('ADD');
      };
      key(p!);
      const best = a.height - 1;
      a.grid(
        [x.shape[axis]!],
        [{ ...p!, strides: [all[axis]!] }],
        ([t]) => {
          key(t!);
          a.combine(best, () => maxTop(e));
        },
        4,
      );
      a.push(top);
      a.op('AND');
      if (!last) {
        a.push(top);
        a.op('SUB');
      }
      a.address(p!);
      a.swap(1);
      a.op('SUB'); // bytes from the first element
      a.push(all[axis]!);
      a.swap(1);
      a.op('DIV');
      a.store(q!);
    },
  );
}

/** softmax of whole rows. */
export function emitSoftmax(e: Emitter, i: number): void {
  const { a } = e;
  const { inputs, attrs } = e.model.nodes[i]!;
  const { l, m, o, output, causal } = attrs as unknown as {
    l: number;
    m: number;
    o: number;
    output: Output;
    causal: boolean;
  };
  if (causal || inputs.some((t, slot) => slot > 0 && t >= 0))
    throw new CompileError(
      'NoLowering',
      `node ${i}: softmax has no EVM form with a mask`,
      'Take all entries of a row.',
    );
  const x = e.type(inputs[0]!);
  const y = e.model.info[i]!.outputs[0]!;
  const k = x.shape[x.shape.length - 1]!;
  const rows = x.shape.slice(0, -1);
  const bits = e.model.info[i]!.facts.weightBits!;
  const [cap, step] = [2147483647 >> l, [32]];
  e.table(Array.from(EXP2), 4, (table) => {
    e.temporary(32 * k, (weights) => {
      const across = (p: Ptr, body: (t: Ptr, w: Ptr) => void): void =>
        a.grid(
          [k],
          [
            { ...p, strides: step },
            { base: weights, strides: step },
          ],
          ([t, w]) => body(t!, w!),
        );
      const lead = flatStrides([...rows, k], 32).slice(0, -1);
      a.grid(
        rows,
        [
          { base: e.place(inputs[0]!), strides: lead },
          { base: e.place(y), strides: lead },
        ],
        ([p, q]) => {
          emitGreatest(e, p!, [k], step, 1);
          const most = a.height - 1;
          const sum = a.push(0);
          across(p!, (t, w) => {
            a.load(t);
            a.dup(most);
            a.op('SUB');
            clampTop(a, { from: 0, to: x.hi - x.lo, lo: 0, hi: cap, base: 0 });
            expWeight(e, table, BigInt(m) << BigInt(l), bits);
            a.dup(a.height - 1);
            a.store(w);
            a.combine(sum, () => a.op('ADD'));
          });
          across(q!, (t, w) => {
            a.dup(sum);
            a.dup(sum);
            shift(a, 1, 'SHR');
            a.load(w);
            shift(a, o, 'SHL');
            a.op('ADD', 'DIV');
            add(a, output.zp);
            clampTop(a, { from: output.zp, to: output.zp + 2 ** o, lo: output.lo, hi: output.hi, base: 0 });
            a.store(t);
          });
          a.drop(most);
        },
      );
    });
  });
}

/** Turns a distance d on top into E(t(d)) (spec/00-numerics.md §2.2). */
function expWeight(e: Emitter, table: Ptr, factor: bigint, bits: number): void {
  const { a } = e;
  a.push(factor);
  a.op('MUL');
  add(a, 2147483648);
  shift(a, 32, 'SHR');
  const t = a.height - 1;
  a.dup(t);
  shift(a, 8, 'SHR');
  a.push(255);
  a.op('AND');
  a.push(4);
  a.op('MUL');
  add(a, table.base - 24);
  a.op('MLOAD'); // the last eight bytes: EXP2[i], EXP2[i+1]
  a.dup(a.height - 1);
  shift(a, 32, 'SHR');
  a.push(4294967295);
  a.op('AND'); // [t, pair, a]
  const v = a.height - 1;
  a.swap(1);
  a.push(4294967295);
  a.op('AND'); // [t, a, b]
  a.dup(v - 1);
  a.op('SUB'); // a − b
  a.dup(t);
  a.push(255);
  a.op('AND', 'MUL');
  add(a, 128);
  shift(a, 8, 'SHR');
  a.swap(1);
  a.op('SUB'); // [t, v]
  a.swap(1);
  shift(a, 16, 'SHR');
  add(a, 23 - bits);
  clampTop(a, { from: 1, to: 65535, lo: 0, hi: 25, base: 0 }); // [v, s]
  a.push(1);
  a.dup(a.height - 2);
  a.push(1);
  a.swap(1);
  a.op('SUB', 'SHL'); // [v, s, 2^(s − 1)]
  a.dup(a.height - 3);
  a.op('ADD'); // [v, s, v + 2^(s − 1)]
  a.swap(1);
  a.op('SHR'); // [v, result]
  a.swap(1);
  a.op('POP');
}

/** matmul. */
export function emitMatmul(e: Emitter, i: number): void {
  const { a } = e;
  const { inputs, attrs } = e.model.nodes[i]!;
  const { tb, stage } = attrs as unknown as { tb: boolean; stage?: Stage };
  const [p, q] = [e.type(inputs[0]!), e.type(inputs[1]!)];
  const y = e.model.info[i]!.outputs[0]!;
  const { shape } = e.type(y);
  const k = p.shape[p.shape.length - 1]!;
  const bound = e.model.info[i]!.facts.bound ?? floorDiv(Number.MAX_SAFE_INTEGER, 2);
  const lead = shape.slice(0, -2);
  const operand = (t: number, type: { readonly shape: readonly number[] }, row: number, column: number): Walk => {
    const own = flatStrides(type.shape, 32);
    const rank = type.shape.length;
    const missing = lead.length - (rank - 2);
    const batch = lead.map((_, d) => (d < missing || type.shape[d - missing] === 1 ? 0 : own[d - missing]!));
    return {
      base: e.place(t),
      strides: [...batch, row === 0 ? 0 : own[rank - row]!, column === 0 ? 0 : own[rank - column]!],
    };
  };
  const alongA = 32;
  const alongB = flatStrides(q.shape, 32)[q.shape.length - (tb ? 1 : 2)]!;
  a.grid(
    shape,
    [operand(inputs[0]!, p, 2, 0), operand(inputs[1]!, q, 0, tb ? 2 : 1), wholeWalk(e, y)],
    ([u, v, out]) => {
      const sum = a.push(0);
      a.grid(
        [k],
        [
          { ...u!, strides: [alongA] },
          { ...v!, strides: [alongB] },
        ],
        ([s, t]) => {
          a.load(s!);
          a.load(t!);
          a.op('MUL');
          a.combine(sum, () => a.op('ADD'));
        },
        8,
      );
      if (stage !== undefined) stageTop(e, stage, stage.m[0]!, -bound, bound);
      a.store(out!);
    },
  );
}

/** expand as a broadcast. */
export function emitExpand(e: Emitter, i: number): void {
  const { a } = e;
  const y = e.model.info[i]!.outputs[0]!;
  const { shape } = e.type(y);
  a.grid(shape, [broadcastWalk(e, e.model.nodes[i]!.inputs[0]!, shape), wholeWalk(e, y)], ([p, q]) => {
    a.load(p!);
    a.store(q!);
  });
}
