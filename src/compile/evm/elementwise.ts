/**
 * Lowers ops of one element at a time: operands broadcast, one element a word.
 * @module
 */
import { elementCount } from '../../core/tensor.ts';
import type { Output, Stage } from '../../ops/define.ts';
import type { Walk } from './asm.ts';
import type { Emitter, StaticType } from './emitter.ts';
import { flatStrides } from './layout.ts';
import {
  add,
  type Clamp,
  clampAnchor,
  clampTail,
  clampTop,
  negativePart,
  positivePart,
  shift,
  times,
} from './words.ts';

/** A pointer over a tensor as it broadcasts to a shape. */
export function broadcastWalk(e: Emitter, tensor: number, shape: readonly number[]): Walk {
  const own = e.type(tensor).shape;
  const strides = flatStrides(own, 32);
  const missing = shape.length - own.length;
  return {
    base: e.place(tensor),
    strides: shape.map((_, d) => (d < missing || own[d - missing] === 1 ? 0 : strides[d - missing]!)),
  };
}

/** A pointer over a whole tensor along the axes of its shape. */
export function wholeWalk(e: Emitter, tensor: number): Walk {
  return { base: e.place(tensor), strides: flatStrides(e.type(tensor).shape, 32) };
}

/** Emits y = f(operands) for every element; `f` leaves the element, given what pushes each operand's. */
function each(e: Emitter, i: number, operands: readonly number[], f: (operands: (() => void)[]) => void): void {
  const { a } = e;
  const y = e.model.info[i]!.outputs[0]!;
  const { shape } = e.type(y);
  const walks = [...operands.map((t) => broadcastWalk(e, t, shape)), wholeWalk(e, y)];
  a.grid(
    shape,
    walks,
    (pointers) => {
      f(operands.map((_, k) => () => a.load(pointers[k]!)));
      a.store(pointers[operands.length]!);
    },
    4,
  );
}

/** Turns an accumulator in from…to on top into its stage. */
export function stageTop(
  e: Emitter,
  stage: Output & { readonly l: number },
  m: number,
  from: number,
  to: number,
): void {
  const { a } = e;
  const factor = BigInt(m) << BigInt(stage.l);
  const staged = (acc: number): number => Number((BigInt(acc) * factor + 2147483648n) >> 32n) + stage.zp;
  const clamp: Clamp = { from: staged(from), to: staged(to), lo: stage.lo, hi: stage.hi, base: 0 };
  times(a, factor);
  add(a, 2147483648n + (BigInt(stage.zp - clampAnchor(clamp)) << 32n));
  shift(a, 32, 'SAR');
  clampTail(a, clamp);
}

/** Least and greatest of four products. */
function corners(p: StaticType, q: StaticType): [number, number] {
  const all = [p.lo, p.hi].flatMap((u) => [q.lo, q.hi].map((v) => (u - p.zp) * (v - q.zp)));
  return [Math.min(...all), Math.max(...all)];
}

function inputsOf(e: Emitter, i: number): readonly number[] {
  return e.model.nodes[i]!.inputs;
}

function attrsOf<A>(e: Emitter, i: number): A {
  return e.model.nodes[i]!.attrs as A;
}

/** linear2. */
export function emitLinear2(e: Emitter, i: number): void {
  const { a } = e;
  const { ma, mb, s, output: o } = attrsOf<{ ma: number; mb: number; s: number; output: Output }>(e, i);
  const inputs = inputsOf(e, i);
  const [p, q] = inputs.map((t) => e.type(t)) as [StaticType, StaticType | undefined];
  const reach = (t: StaticType | undefined, m: number): [number, number] => {
    if (t === undefined) return [0, 0];
    const ends = [(t.lo - t.zp) * m, (t.hi - t.zp) * m];
    return [Math.min(...ends), Math.max(...ends)];
  };
  const [[pl, ph], [ql, qh]] = [reach(p, ma), reach(q, mb)];
  const rounded = (v: number): number => Number((BigInt(v) + (s === 0 ? 0n : 1n << BigInt(s - 1))) >> BigInt(s)) + o.zp;
  const clamp: Clamp = { from: rounded(pl + ql), to: rounded(ph + qh), lo: o.lo, hi: o.hi, base: 0 };
  const constant =
    (s === 0 ? 0 : 2 ** (s - 1)) + (o.zp - clampAnchor(clamp)) * 2 ** s - p.zp * ma - (q === undefined ? 0 : q.zp * mb);
  each(e, i, inputs, ([x, y]) => {
    x!();
    times(a, ma);
    if (y !== undefined) {
      y();
      times(a, mb);
      a.op('ADD');
    }
    add(a, constant);
    shift(a, s, 'SAR');
    clampTail(a, clamp);
  });
}

/** mul. */
export function emitMul(e: Emitter, i: number): void {
  const { a } = e;
  const { stage } = attrsOf<{ stage?: Stage }>(e, i);
  const inputs = inputsOf(e, i);
  const [p, q] = inputs.map((t) => e.type(t)) as [StaticType, StaticType];
  const [from, to] = corners(p, q);
  each(e, i, inputs, ([x, y]) => {
    x!();
    add(a, -p.zp);
    y!();
    add(a, -q.zp);
    a.op('MUL');
    if (stage !== undefined) stageTop(e, stage, stage.m[0]!, from, to);
  });
}

/** rescale. */
export function emitRescale(e: Emitter, i: number): void {
  const { a } = e;
  const { stage } = attrsOf<{ stage: Stage }>(e, i);
  const [x] = inputsOf(e, i) as [number];
  const t = e.type(x);
  const one = (m: number): void => {
    add(a, -t.zp);
    stageTop(e, stage, m, t.lo - t.zp, t.hi - t.zp);
  };
  if (stage.m.length === 1) {
    each(e, i, [x], ([load]) => {
      load!();
      one(stage.m[0]!);
    });
    return;
  }
  const channels = stage.m.length;
  const walk = { base: e.place(x), strides: [32 * channels] };
  const out = { base: e.place(e.model.info[i]!.outputs[0]!), strides: [32 * channels] };
  const rows = elementCount(t.shape.slice(0, -1));
  stage.m.forEach((m, c) => {
    a.grid(
      [rows],
      [walk, out].map((w) => ({ ...w, base: w.base + 32 * c })),
      ([p, q]) => {
        a.load(p!);
        one(m);
        a.store(q!);
      },
    );
  });
}

/** min and max. */
export function emitExtremum(e: Emitter, i: number): void {
  const { a } = e;
  const least = e.model.nodes[i]!.op === 'min';
  each(e, i, inputsOf(e, i), ([x, y]) => {
    y!();
    x!();
    a.op('SUB');
    if (least) negativePart(a);
    else positivePart(a);
    y!();
    a.op('ADD');
  });
}

/** compare. */
export function emitCompare(e: Emitter, i: number): void {
  const { a } = e;
  const { op, ma, mb } = attrsOf<{ op: string; ma: number; mb: number }>(e, i);
  const inputs = inputsOf(e, i);
  const [p, q] = inputs.map((t) => e.type(t)) as [StaticType, StaticType];
  each(e, i, inputs, ([x, y]) => {
    y!();
    add(a, -q.zp);
    times(a, mb);
    x!();
    add(a, -p.zp);
    times(a, ma);
    if (op === 'eq' || op === 'ne') a.op('EQ');
    else a.op(op === 'lt' || op === 'ge' ? 'SLT' : 'SGT');
    if (op === 'ge' || op === 'le' || op === 'ne') a.op('ISZERO');
  });
}

/** logical. */
export function emitLogical(e: Emitter, i: number): void {
  const { a } = e;
  const { op } = attrsOf<{ op: string }>(e, i);
  each(e, i, inputsOf(e, i), ([x, y]) => {
    x!();
    if (y === undefined) a.op('ISZERO');
    else {
      y();
      a.op(op === 'and' ? 'AND' : op === 'or' ? 'OR' : 'XOR');
    }
  });
}

/** where. */
export function emitWhere(e: Emitter, i: number): void {
  const { a } = e;
  each(e, i, inputsOf(e, i), ([condition, x, y]) => {
    y!();
    x!();
    a.op('SUB');
    condition!();
    a.op('MUL');
    y!();
    a.op('ADD');
  });
}

/** lut8: the entries that the proved interval of x can meet. */
export function emitLut8(e: Emitter, i: number): void {
  const { a } = e;
  const [x, table] = inputsOf(e, i) as [number, number];
  const t = e.type(x);
  const data = Array.from(e.elements(table)).slice(t.lo + 128, t.hi + 129);
  const size = e.type(table).dtype === 'i16' ? 2 : 1;
  e.table(data, size, (p) => {
    each(e, i, [x], ([load]) => {
      load!();
      times(a, size);
      add(a, p.base - size * t.lo - (32 - size));
      a.op('MLOAD');
      a.push(size - 1);
      a.op('SIGNEXTEND');
    });
  });
}

/** lut16. */
export function emitLut16(e: Emitter, i: number): void {
  const { a } = e;
  const { s, output: o } = attrsOf<{ s: number; output: Output }>(e, i);
  const [x, table] = inputsOf(e, i) as [number, number];
  const t = e.type(x);
  const first = (t.lo + 32768) >> 7;
  const data = Array.from(e.elements(table)).slice(first, ((t.hi + 32768) >> 7) + 2);
  e.table(data, 2, (p) => {
    each(e, i, [x], ([load]) => {
      load!();
      add(a, 32768 - 128 * first);
      const v = a.height - 1;
      a.dup(v);
      shift(a, 7, 'SHR');
      times(a, 2);
      add(a, p.base - 28);
      a.op('MLOAD'); // the last four bytes: T[i], T[i+1]
      const pair = a.height - 1;
      a.dup(pair);
      shift(a, 16, 'SHR');
      a.push(1);
      a.op('SIGNEXTEND');
      const low = a.height - 1;
      a.dup(low);
      a.dup(pair);
      a.push(1);
      a.op('SIGNEXTEND', 'SUB');
      a.dup(v);
      a.push(127);
      a.op('AND', 'MUL');
      a.swap(1);
      times(a, 128);
      a.op('ADD');
      add(a, 2 ** (s - 1));
      shift(a, s, 'SAR');
      add(a, o.zp);
      clampTop(a, { from: -8388608, to: 8388608, lo: o.lo, hi: o.hi, base: 0 });
      a.swap(a.height - 1 - v);
      a.drop(v + 1);
    });
  });
}
