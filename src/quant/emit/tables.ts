/**
 * Unary functions as tables, limits, and softmax.
 * @module
 */
import type { Ref } from '../graph-writer.ts';
import { exp2i } from '../math.ts';
import { Q8, Q15 } from '../plan.ts';
import { clampReal, LIMIT, linearShift, multiplier, type QType, round } from '../scales.ts';
import { nearTable, nodesOf, valueAt } from '../tables.ts';
import { roundEven, type UnaryFn } from '../unary.ts';
import { type Emit, type EmitContext, output, type Quantized, reach } from './context.ts';
import { joinParts, partType } from './planes.ts';

function undefinedAt(c: EmitContext, x: number): never {
  return c.fail(
    'NotFinite',
    `the function is undefined at ${x}, inside the range of its input`,
    'Put a Clip with a least value above 0 before it.',
  );
}

/** 256 entries for an i8 input. */
function lut8(c: EmitContext, x: Quantized, fns: readonly UnaryFn[], type: QType): Quantized {
  const table = type.dtype === 'i8' ? new Int8Array(256) : new Int16Array(256);
  for (let i = 0; i < 256; i++) {
    const v = (i - 128 - x.type.zp) * x.type.scale;
    const y = valueAt(c.inputRange(), fns, v, x.type.scale) ?? undefinedAt(c, v);
    table[i] = clampReal(round(y / type.scale) + type.zp, type.lo, type.hi);
  }
  const ref = c.writer.node('lut8', [x.ref, c.writer.constant(type.dtype, [256], table)], { zp: type.zp });
  return { ref, type };
}

/** Entries for values at 513 nodes in output steps; s is the largest shift for which no node is cut. */
function entries(nodes: Float64Array): { readonly table: Int16Array; readonly s: number } {
  const max = nodes.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  let s = 7;
  while (s < 22 && round(max * exp2i(s - 6)) <= 32767) s++;
  return { table: Int16Array.from(nodes, (v) => clampReal(round(v * exp2i(s - 7)), -32768, 32767)), s };
}

/** A table of 513 nodes of an i16 input. */
function lut16(c: EmitContext, x: Ref, nodes: Float64Array, type: QType): Ref {
  const { table, s } = entries(nodes);
  return c.writer.node('lut16', [x, c.writer.constant('i16', [513], table)], { s, output: output(type) });
}

/**
 * Two tables of an i16 input: one over all of it, and one of what that leaves out near zero, where the input is taken on
 * finer steps and saturates.
 */
function twoTables(c: EmitContext, x: Quantized, f: (v: number) => number, type: QType): Quantized {
  const part = partType(type);
  const [all, near] = nearTable((v) => f(v) / part.scale, x.type, c.inputRange());
  const finer = { ma: exp2i(near.k), mb: 0, s: 0, output: { dtype: 'i16' as const, zp: 0, lo: -32768, hi: 32767 } };
  const t = c.writer.node('linear2', [x.ref], finer);
  return joinParts(c, lut16(c, x.ref, all, part), lut16(c, t, near.nodes, part), type);
}

/** A chain of functions of x as a table: lut8 or lut16 by its dtype. */
export function emitTable(c: EmitContext, x: Quantized, fns: readonly UnaryFn[], type: QType): Quantized {
  if (x.type.dtype === 'i8') return lut8(c, x, fns, type);
  const f = (v: number): number => valueAt(c.inputRange(), fns, v, x.type.scale) ?? undefinedAt(c, v);
  if (c.scope.parts.tables.has(c.node.output)) return twoTables(c, x, f, type);
  return {
    ref: lut16(
      c,
      x.ref,
      nodesOf((v) => f(v) / type.scale, x.type.scale),
      type,
    ),
    type,
  };
}

/** A chain of unary functions; a lone positive factor only changes the scale that the integers stand for. */
export const emitUnary: Emit<'unary'> = (c, op) => {
  const x = c.real();
  const [f, ...rest] = op.fns;
  if (f?.fn === 'affine' && rest.length === 0 && f.scale > 0 && f.shift === 0 && !c.pinned)
    return { ref: x.ref, type: { ...x.type, scale: x.type.scale * f.scale } };
  return emitTable(c, x, op.fns, c.outputType());
};

/** True where two types stand for the same reals, but for the last bits of their scales. */
function alike(a: QType, b: QType): boolean {
  return a.dtype === b.dtype && a.zp === b.zp && Math.abs(a.scale / b.scale - 1) < 2 ** -20;
}

/** A type that the source model gives: a table from i8, else a rescale; nothing where the operand has it. */
export const emitQuant: Emit<'quant'> = (c, { type }) => {
  const x = c.input();
  if (alike(x.type, type)) return x;
  if (x.type.dtype !== 'i8') return c.rescaled(x, type);
  const table = type.dtype === 'i8' ? new Int8Array(256) : new Int16Array(256);
  for (let i = 0; i < 256; i++)
    table[i] = clampReal(roundEven(((i - 128 - x.type.zp) * x.type.scale) / type.scale) + type.zp, type.lo, type.hi);
  const ref = c.writer.node('lut8', [x.ref, c.writer.constant(type.dtype, [256], table)], { zp: type.zp });
  return { ref, type };
};

/** Limits that joined no producer: a table for i8, else linear2 with its limits. */
export const emitClamp: Emit<'clamp'> = (c, op) => {
  const x = c.real();
  const type = c.outputType(op);
  if (x.type.dtype === 'i8') return lut8(c, x, [{ fn: 'clip', lo: op.lo, hi: op.hi }], type);
  const shift = linearShift(x.type.scale / type.scale, 0, reach(x.type), 0, type.zp);
  if (!shift) return c.fail('UnsupportedForm', 'its limits are too far from the range of its input');
  return { ref: c.writer.node('linear2', [x.ref], { ...shift, output: output(type) }), type };
};

/** Softmax over the last axis, masked or not: Q15 or 1/256 steps, rescaled where its group has another type. */
export const emitSoftmax: Emit<'softmax'> = (c, op) => {
  const x = c.real();
  const planned = c.outputType();
  const type = planned.dtype === 'i16' ? Q15 : Q8;
  const { m, l } = multiplier(x.type.scale * Math.LOG2E * 65536);
  if (l > 24) c.fail('UnsupportedForm', 'the range of its input is too wide');
  const o = type.dtype === 'i16' ? 15 : 8;
  const mask = c.node.inputs.length > 1 ? [c.input(1).ref] : [];
  const attrs = { l, m, o, output: output(type), causal: op.causal !== null, offset: op.causal ?? 0 };
  const ref = c.writer.node('softmax', [x.ref, ...mask], attrs);
  return c.as({ ref, type }, planned);
};

/** Logarithm of a softmax over the last axis: its binary logarithm in Q16 behind a stage. */
export const emitLogSoftmax: Emit<'log_softmax'> = (c) => {
  const x = c.real();
  const type = c.outputType();
  const { m, l } = multiplier(x.type.scale * Math.LOG2E * 65536);
  const { m: m2, l: l2 } = multiplier(Math.LN2 / (65536 * type.scale));
  const far = (x.type.hi - x.type.lo) * x.type.scale * Math.LOG2E * 65536 + 2097152;
  if (l > 24 || (x.type.hi - x.type.lo) * 2 ** l >= LIMIT || l2 > 24 || far * 2 ** l2 >= LIMIT)
    c.fail('UnsupportedForm', 'the range of its input is too wide');
  const stage = { m: Int32Array.of(m2), l: l2, ...output(type) };
  return { ref: c.writer.node('log_softmax', [x.ref], { l, m, stage }), type };
};
