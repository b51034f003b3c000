/**
 * Operators of quantized integers as the operators of reals between DequantizeLinear and QuantizeLinear.
 * @module
 */
import type { OnnxArray } from '../tensor.ts';
import type { Expand, Expansion } from './context.ts';

/** Operand `at` with its scale and zero point behind it, as reals. */
function real(e: Expansion, at: number, axis?: number): string {
  const inputs = [e.input(at), e.input(at + 1), ...(e.given(at + 2) ? [e.input(at + 2)] : [])];
  return e.op('DequantizeLinear', inputs, axis === undefined ? {} : { axis });
}

/** Output 0: `name` in the integers of the scale and zero point at `at`. */
function giveQuantized(e: Expansion, name: string, at: number): void {
  e.give(0, 'QuantizeLinear', [name, e.input(at), ...(e.given(at + 1) ? [e.input(at + 1)] : [])]);
}

/** A bias of integers in steps of input times weight. */
function bias(e: Expansion, at: number, scales: readonly OnnxArray[], factor = 1): string {
  const [a, b] = scales.map((s) => s.data) as [Float64Array, Float64Array];
  const own = b.map((v) => v * a[0]! * factor);
  return e.op('DequantizeLinear', [e.input(at), e.real(own, own.length === 1 ? [] : [own.length])], { axis: 0 });
}

const scale = (e: Expansion, at: number): OnnxArray => e.fixed(at, 'the scale');

const QLinearConv: Expand = (e) => {
  const operands = [real(e, 0), real(e, 3, 0), ...(e.given(8) ? [bias(e, 8, [scale(e, 1), scale(e, 4)])] : [])];
  giveQuantized(e, e.like('Conv', operands), 6);
};

const QLinearMatMul: Expand = (e) => {
  const sides = [0, 3].map((i) => real(e, i, i === 0 ? -2 : -1)) as [string, string];
  giveQuantized(e, e.op('MatMul', sides), 6);
};

const QGemm: Expand = (e) => {
  const factor = e.float('alpha', 1);
  const added = e.given(6) ? [bias(e, 6, [scale(e, 1), scale(e, 4)], factor)] : [];
  const y = e.like('Gemm', [real(e, 0), real(e, 3, e.int('transB', 0) !== 0 ? 0 : 1), ...added]);
  if (e.given(7)) giveQuantized(e, y, 7);
  else e.set(0, y);
};

/** A function of two operands. */
function binary(op: string): Expand {
  return (e) => giveQuantized(e, e.op(op, [real(e, 0), real(e, 3)]), 6);
}

/** A function of one operand, whose output's parameters stand behind it. */
function unary(op: string, drop: readonly string[] = []): Expand {
  return (e) => {
    if (e.int('channels_last', 0) !== 0) e.fail('UnsupportedForm', 'channels_last = 1 is not supported');
    giveQuantized(e, e.like(op, [real(e, 0)], ['channels_last', ...drop]), 3);
  };
}

const QLinearConcat: Expand = (e) => {
  const count = (e.node.inputs.length - 2) / 3;
  const parts = Array.from({ length: count }, (_, i) => real(e, 2 + 3 * i));
  giveQuantized(e, e.like('Concat', parts), 0);
};

/** The product of integers quantized by their own range, back in floats. */
function dynamicProduct(
  e: Expansion,
  q: readonly string[],
  at: { scale: string; zero: string; w: number; bias: number },
): void {
  const product = e.op('MatMulInteger', [q[0]!, q[1]!, at.zero, e.given(at.w) ? e.input(at.w) : '']);
  const y = e.op('Mul', [e.op('Cast', [product], { to: 1 }), at.scale]);
  if (e.given(at.bias)) e.give(0, 'Add', [y, e.input(at.bias)]);
  else e.set(0, y);
}

const MatMulIntegerToFloat: Expand = (e) => {
  const by = e.op('Mul', [e.input(2), e.input(3)]);
  const zero = e.given(4) ? e.input(4) : '';
  dynamicProduct(e, [e.input(0), e.input(1)], { scale: by, zero, w: 5, bias: 6 });
};

const DynamicQuantizeMatMul: Expand = (e) => {
  const [y, s, z] = e.ops('DynamicQuantizeLinear', [e.input(0)], 3) as [string, string, string];
  dynamicProduct(e, [y, e.input(1)], { scale: e.op('Mul', [s, e.input(2)]), zero: z, w: 3, bias: 4 });
};

/** Weights of `bits` bits in blocks along K, each block with its scale and zero point, low bits first. */
const MatMulNBits: Expand = (e) => {
  const [k, n, bits, block] = ['K', 'N', 'bits', 'block_size'].map((name) => e.int(name, name === 'bits' ? 4 : 0));
  if (bits !== 4 && bits !== 8) e.fail('UnsupportedForm', `weights of ${bits} bits are not supported`);
  if (e.given(4)) e.fail('UnsupportedForm', 'an order of the columns (g_idx) is not supported');
  const [packed, scales] = [e.fixed(1, 'the weight').data, e.fixed(2, 'the scales').data];
  const zeros = e.given(3) ? e.fixed(3, 'the zero points') : undefined;
  const blocks = Math.ceil(k! / block!);
  const each = (v: Float64Array, i: number): number =>
    bits === 8 ? v[i]! : Math.floor(v[i >> 1]! / (i % 2 === 0 ? 1 : 16)) % 16;
  const rowBytes = bits === 8 ? blocks : Math.ceil(blocks / 2);
  const zeroAt = (o: number, b: number): number => {
    if (!zeros) return 2 ** (bits! - 1);
    if (zeros.dtype !== 'uint8') return zeros.data[o * blocks + b]!;
    return each(zeros.data.subarray(o * rowBytes, (o + 1) * rowBytes), b);
  };
  const perRow = (blocks * block! * bits!) / 8;
  const w = new Float64Array(k! * n!);
  for (let o = 0; o < n!; o++) {
    const row = packed.subarray(o * perRow, (o + 1) * perRow);
    for (let i = 0; i < k!; i++) {
      const b = Math.floor(i / block!);
      w[i * n! + o] = (each(row, i) - zeroAt(o, b)) * scales[o * blocks + b]!;
    }
  }
  const y = e.op('MatMul', [e.input(0), e.real(w, [k!, n!])]);
  if (e.given(5)) e.give(0, 'Add', [y, e.input(5)]);
  else e.set(0, y);
};

/** Integer weights [directions,K,rows] at `at` as reals [directions,rows,K], with their scale and zero point at `by`. */
function cellWeights(e: Expansion, at: number, by: number): string {
  const { data, shape } = e.fixed(at, 'the weight');
  const [scales, zeros] = [e.fixed(by, 'the scale').data, e.fixed(by + 1, 'the zero point').data];
  const [directions, k, rows] = shape as [number, number, number];
  const w = new Float64Array(data.length);
  for (let d = 0; d < directions; d++)
    for (let r = 0; r < rows; r++) {
      const own = (v: Float64Array): number => v[v.length === directions ? d : d * rows + r]!;
      for (let i = 0; i < k; i++)
        w[(d * rows + r) * k + i] = (data[(d * k + i) * rows + r]! - own(zeros)) * own(scales);
    }
  return e.real(w, [directions, rows, k]);
}

const DynamicQuantizeLSTM: Expand = (e) => {
  const rest = [3, 4, 5, 6, 7].map((i) => (e.given(i) ? e.input(i) : ''));
  e.become('LSTM', [e.input(0), cellWeights(e, 1, 8), cellWeights(e, 2, 10), ...rest]);
};

/** Operators of quantized integers by name, behind their domain. */
export const QOPERATOR: Readonly<Record<string, Expand>> = {
  QLinearConv,
  QLinearMatMul,
  'com.microsoft:DynamicQuantizeMatMul': DynamicQuantizeMatMul,
  'com.microsoft:DynamicQuantizeLSTM': DynamicQuantizeLSTM,
  'com.microsoft:MatMulIntegerToFloat': MatMulIntegerToFloat,
  'com.microsoft:MatMulNBits': MatMulNBits,
  'com.microsoft:QGemm': QGemm,
  'com.microsoft:QLinearAdd': binary('Add'),
  'com.microsoft:QLinearAveragePool': unary('AveragePool'),
  'com.microsoft:QLinearConcat': QLinearConcat,
  'com.microsoft:QLinearGlobalAveragePool': unary('GlobalAveragePool'),
  'com.microsoft:QLinearLeakyRelu': unary('LeakyRelu'),
  'com.microsoft:QLinearMul': binary('Mul'),
  'com.microsoft:QLinearSigmoid': unary('Sigmoid'),
  'com.microsoft:QLinearSoftmax': unary('Softmax', ['opset']),
};
