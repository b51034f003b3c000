/**
 * Lowers ops that look at several elements for one result: reductions, arg, softmax, matmul.
 * @module
 */
import { EXP2 } from '../../core/exp2.ts';
import { floorDiv, roundDiv } from '../../core/int.ts';
import type { Output, Stage } from '../../ops/define.ts';
import type { Ptr, Walk } from './asm.ts';
import { broadcastWalk, stageTop, wholeWalk } from './elementwise.ts';
import type { Emitter } from './emitter.ts';
import { CompileError } from './errors.ts';
import { flatStrides } from './layout.ts';
import { add, clampTop, positivePart, shift } from './words.ts';

/** Pushes a constant plus the sum of a nest of elements. */
export function emitSum(
  e: Emitter,
  p: Ptr,
  dims: readonly number[],
  strides: readonly number[],
  constant: number,
): void {
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
