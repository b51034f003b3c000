/**
 * Unary functions as tables, and softmax.
 * @module
 */
import { exp2i } from '../math.ts';
import { clampReal, i8Type, multiplier, type QType, type Range, round } from '../scales.ts';
import { applyChain, type UnaryFn } from '../unary.ts';
import { type Emit, type EmitContext, output } from './context.ts';

/** Probabilities and gates: Q15 in i16, 1/256 steps in i8. */
const Q15: QType = { dtype: 'i16', zp: 0, scale: 1 / 32768, lo: 0, hi: 32767 };
const Q8: QType = { dtype: 'i8', zp: -128, scale: 1 / 256, lo: -128, hi: 127 };

/** The fixed range of a function whose values have one; undefined otherwise. */
function fixedRange(fns: readonly UnaryFn[]): Range | undefined {
  const last = fns.at(-1)!.fn;
  if (last === 'sigmoid' || last === 'hard_sigmoid') return { lo: 0, hi: 1 };
  return last === 'tanh' || last === 'erf' || last === 'softsign' ? { lo: -1, hi: 1 } : undefined;
}

function tableType(c: EmitContext, fns: readonly UnaryFn[]): QType {
  const fixed = fixedRange(fns);
  if (!fixed) return c.outputType();
  if (fixed.lo === 0) return c.wide ? Q15 : Q8;
  return c.wide ? { ...Q15, lo: -32768 } : i8Type(fixed);
}

/** f at x; where f is undefined outside the observed range, its value at the nearest observed point. */
function valueAt(c: EmitContext, fns: readonly UnaryFn[], x: number): number {
  const y = applyChain(fns, x);
  if (Number.isFinite(y)) return y;
  const { lo, hi } = c.inputRange();
  const nearest = applyChain(fns, clampReal(x, lo, hi));
  return Number.isFinite(nearest)
    ? nearest
    : c.fail('NotFinite', `the function is undefined at ${x}, inside its input's range`);
}

/** 256 entries for an i8 input. */
function emitLut8(c: EmitContext, fns: readonly UnaryFn[], type: QType): ReturnType<Emit<'unary'>> {
  const x = c.input();
  const table = type.dtype === 'i8' ? new Int8Array(256) : new Int16Array(256);
  for (let i = 0; i < 256; i++) {
    const y = valueAt(c, fns, (i - 128 - x.type.zp) * x.type.scale);
    table[i] = clampReal(round(y / type.scale) + type.zp, type.lo, type.hi);
  }
  const ref = c.writer.node('lut8', [x.ref, c.writer.constant(type.dtype, [256], table)], { zp: type.zp });
  return { ref, type };
}

/** 513 nodes for an i16 input; s is the largest shift for which no node is cut. */
function emitLut16(c: EmitContext, fns: readonly UnaryFn[], type: QType): ReturnType<Emit<'unary'>> {
  const x = c.input();
  const nodes = Float64Array.from(
    { length: 513 },
    (_, j) => valueAt(c, fns, (128 * j - 32768) * x.type.scale) / type.scale,
  );
  const max = nodes.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  let s = 7;
  while (s < 22 && round(max * exp2i(s - 6)) <= 32767) s++;
  const table = Int16Array.from(nodes, (v) => clampReal(round(v * exp2i(s - 7)), -32768, 32767));
  const ref = c.writer.node('lut16', [x.ref, c.writer.constant('i16', [513], table)], { s, output: output(type) });
  return { ref, type };
}

/** A chain of unary functions: lut8 or lut16 by the dtype of its input. */
export const emitUnary: Emit<'unary'> = (c, op) => {
  const type = tableType(c, op.fns);
  return c.input().type.dtype === 'i8' ? emitLut8(c, op.fns, type) : emitLut16(c, op.fns, type);
};

/** Limits that joined no producer: a table. */
export const emitClamp: Emit<'clamp'> = (c, op) => {
  const fns = [{ fn: 'clip', lo: op.lo, hi: op.hi }] as const;
  return c.input().type.dtype === 'i8' ? emitLut8(c, fns, c.outputType()) : emitLut16(c, fns, c.outputType());
};

/** Softmax over the last axis: Q15 where wide, else 1/256 steps. */
export const emitSoftmax: Emit<'softmax'> = (c) => {
  const x = c.input();
  const type = c.wide ? Q15 : Q8;
  const { m, l } = multiplier(x.type.scale * Math.LOG2E * 65536);
  const o = type.dtype === 'i16' ? 15 : 8;
  return { ref: c.writer.node('softmax', [x.ref], { l, m, o, output: output(type), causal: false, offset: 0 }), type };
};
