/**
 * Recurrent cells, running sums, order and rotations.
 * @module
 */
import type { Cell } from '../float-sequence.ts';
import { frexp, sigmoid, tanh } from '../math.ts';
import { cellType, hiddenType } from '../plan.ts';
import {
  clampReal,
  compactMultipliers,
  type LayerIntegers,
  LIMIT,
  multiplier,
  type QType,
  quantizeLayer,
  quantizeValue,
  round,
  wholeType,
} from '../scales.ts';
import { centred, type Emit, type EmitContext, output, type Quantized, reach } from './context.ts';
import { centredOperand } from './layers.ts';

/** Scale of what the gates of a cell read (Q12). */
const GATE_SCALE = 2 ** -12;

/** 513 nodes of a function in Q15 over an i16 operand of `scale`. */
function table(c: EmitContext, f: (x: number) => number, scale: number): Quantized['ref'] {
  const nodes = Int16Array.from({ length: 513 }, (_, i) =>
    clampReal(round(f((128 * i - 32768) * scale) * 32768), -32768, 32767),
  );
  return c.writer.constant('i16', [513], nodes);
}

/** A state in its type: a constant, or operand `at`. */
function state(
  c: EmitContext,
  data: Float64Array | undefined,
  at: number,
  hidden: number,
  type: QType,
): Quantized['ref'] {
  if (!data) return c.shared(c.real(at), type).ref;
  const rows = c.inputShape()[1]!;
  const raw = data.subarray(0, rows * hidden).map((v) => quantizeValue(v, type));
  const own = type.dtype === 'i8' ? Int8Array.from(raw) : Int16Array.from(raw);
  const ref = c.writer.constant(type.dtype === 'i8' ? 'i8' : 'i16', [rows, hidden], own);
  const batch = c.inputDims()[1]!;
  if (typeof batch === 'number') return ref;
  const size = [batch, hidden];
  return c.writer.output('slice', [ref], { start: [0, 0], step: [1, 1], size }, 1, 0);
}

/** Refuses constant initial hidden values that no cell produces; those of an operand saturate at −1 and 1. */
function checkHidden(c: EmitContext, op: Cell): void {
  if (op.h0?.some((v) => !(Math.abs(v) <= 1))) c.fail('UnsupportedForm', 'its initial hidden values leave −1…1');
}

/** Rows over x with their bias, and rows over the hidden values with theirs, as operands and attributes. */
function cellRows(
  c: EmitContext,
  op: Cell,
  h: QType,
  recurrentBias: Float64Array,
): {
  refs: Quantized['ref'][];
  rows: LayerIntegers;
  attrs: { mx: Int32Array; lx: number; mh: Int32Array; lh: number };
} {
  const x = c.real().type;
  const outputScale = GATE_SCALE;
  const over = { weight: op.wx, bias: op.bias, inputScale: x.scale, centred: centred(x), outputScale };
  const within = { weight: op.wh, bias: recurrentBias, inputScale: h.scale, centred: centred(h), outputScale };
  const [p, q] = [quantizeLayer(over), quantizeLayer(within)];
  if (!p || !q) return c.fail('UnsupportedForm', 'its weights are too large for an int32 accumulator');
  const count = op.bias.length;
  const refs = [
    c.writer.constant('i8', [count, p.w.length / count], p.w),
    c.writer.constant('i8', [count, op.hidden], q.w),
    c.writer.constant('i32', [count], p.b),
  ];
  const attrs = { mx: compactMultipliers(p.m), lx: p.l, mh: compactMultipliers(q.m), lh: q.l };
  return { refs, rows: q, attrs };
}

/** The fields of an attribute record that say what h is. */
function hiddenAttrs(h: QType, reverse: boolean): { qh: number; lo: number; hi: number; reverse: boolean } {
  return { qh: h.dtype === 'i16' ? 15 : 7, lo: h.lo, hi: h.hi, reverse };
}

/**
 * LSTM: `cells` stand for their type only, which no output of the op has; `h` and `last_c` are outputs 0 and 2 of one node.
 */
export const emitLstm: Emit<'lstm'> = (c, op) => {
  const states = (op.h0 ? 0 : 1) + (op.c0 ? 0 : 1);
  if (op.what === 'cells') return { ref: c.real().ref, type: cellType(c.range) };
  const cells = cellType(c.scope.ranges[c.node.inputs[1 + states]!]!);
  checkHidden(c, op);
  const planned = op.what === 'h' ? c.outputType() : c.scope.types[c.node.inputs[2 + states]!]!;
  const h = hiddenType(planned.dtype === 'i16');
  const { refs, attrs } = cellRows(c, op, h, new Float64Array(op.bias.length));
  const h0 = state(c, op.h0, 1, op.hidden, h);
  const c0 = state(c, op.c0, op.h0 ? 1 : 2, op.hidden, cells);
  const gates = [table(c, sigmoid, GATE_SCALE), table(c, tanh, GATE_SCALE)];
  const kc = frexp(cells.scale)[1] + 14;
  const inputs = [c.real().ref, ...refs, h0, c0, ...gates, table(c, tanh, cells.scale)];
  const all = { ...attrs, kc, ...hiddenAttrs(h, op.reverse) };
  const ref = c.writer.output('lstm', inputs, all, 3, op.what === 'h' ? 0 : 2);
  return c.as({ ref, type: op.what === 'h' ? h : cells }, c.outputType());
};

/** GRU: with `bh` as the bias of its rows over the hidden values. */
export const emitGru: Emit<'gru'> = (c, op) => {
  checkHidden(c, op);
  const h = hiddenType(c.outputType().dtype === 'i16');
  const recurrent = new Float64Array(op.bias.length);
  if (op.bh) recurrent.set(op.bh, 2 * op.hidden);
  const { refs, rows, attrs } = cellRows(c, op, h, recurrent);
  const h0 = state(c, op.h0, 1, op.hidden, h);
  const bh = op.bh ? [c.writer.constant('i32', [op.hidden], rows.b.slice(2 * op.hidden))] : [];
  const inputs = [c.real().ref, ...refs, h0, table(c, sigmoid, GATE_SCALE), table(c, tanh, GATE_SCALE), ...bh];
  const ref = c.writer.output('gru', inputs, { ...attrs, ...hiddenAttrs(h, op.reverse) }, 2, 0);
  return c.as({ ref, type: h }, c.outputType());
};

/** Running sums: raw in i32, then into the output's type; sums of whole numbers stay. */
export const emitCumSum: Emit<'cumsum'> = (c, op) => {
  const x = c.input();
  if (x.type.dtype === 'bool') c.fail('UnsupportedForm', 'sums of truth values are not supported');
  const n = c.inputShape()[op.axis]!;
  const { lo, hi } = centred(x.type);
  if (n * reach(x.type) >= LIMIT)
    c.fail('UnsupportedForm', `a sum of ${n} elements is too large for an int32 accumulator`);
  const { axis, exclusive, reverse } = op;
  const ref = c.writer.node('cumsum', [x.ref], { axis, exclusive, reverse });
  const raw: QType = { ...wholeType(Math.min(0, n * lo), Math.max(0, n * hi)), scale: x.type.scale };
  return x.type.dtype === 'i32' ? { ref, type: raw } : c.rescaled({ ref, type: raw }, c.outputType());
};

/** The first k in order: values in the operand's type, or indices; both are outputs of one node. */
export const emitTopK: Emit<'topk'> = (c, op) => {
  const x = c.input();
  if (x.type.dtype === 'bool') c.fail('UnsupportedForm', 'truth values have no order');
  const { axis, k, smallest, what } = op;
  const ref = c.writer.output('topk', [x.ref], { axis, k, smallest }, 2, what === 'values' ? 0 : 1);
  return { ref, type: what === 'values' ? x.type : wholeType(0, c.inputShape()[axis]! - 1) };
};

/** Rotary embedding: rows turned by a phase step a pair of columns. */
export const emitRope: Emit<'rope'> = (c, op) => {
  const x = centredOperand(c, c.real());
  const type = c.outputType();
  const step = Int32Array.from(op.frequencies, (f) => round((f / (2 * Math.PI)) * 4294967296) | 0);
  const { m, l } = multiplier(x.type.scale / (type.scale * 16384));
  const stage = { m: Int32Array.of(m), l, ...output(type) };
  const { interleaved, first: position } = op;
  return { ref: c.writer.node('rope', [x.ref], { step, interleaved, position, stage }), type };
};

/** Greatest |coordinate| of boxes: the area of any box stays below 2^31. */
const MOST_COORDINATE = 23170;

/** Boxes kept by score: corners in i16, cut so that areas fit. */
export const emitNms: Emit<'nms'> = (c, op) => {
  const [boxes, scores] = [c.real(0), c.real(1)];
  const { lo, hi } = c.inputRange(0);
  const most = Math.max(-lo, hi);
  const limits = { lo: -MOST_COORDINATE, hi: MOST_COORDINATE };
  const own: QType = { dtype: 'i16', zp: 0, scale: (most > 0 ? most : 1) / MOST_COORDINATE, ...limits };
  const { scale, zp } = scores.type;
  const threshold = clampReal(Math.floor(op.threshold / scale) + zp, -32769, 32767);
  const t15 = clampReal(round(op.overlap * 32768), 0, 32768);
  const attrs = { t15, threshold, limit: op.limit };
  const ref = c.writer.output('nms', [c.rescaled(boxes, own).ref, scores.ref], attrs, 2, 0);
  return { ref, type: wholeType(-1, c.inputShape(0)[1]! - 1) };
};
