/**
 * ONNX recurrent layers: RNN, GRU, LSTM.
 * @module
 */
import { arrayOf, permute } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { ACTIVATIONS } from './unary.ts';

type Fn = (x: number) => number;

/** One direction of a layer: its weights and activations. */
interface Direction {
  readonly w: Float64Array;
  readonly r: Float64Array;
  readonly bw: Float64Array;
  readonly br: Float64Array;
  readonly p: Float64Array;
  readonly f: readonly Fn[];
  readonly hidden: number;
  readonly inputs: number;
}

/** y[g·H+j] = b + Σ W·x of gate rows. */
function affine(rows: Float64Array, bias: Float64Array, x: Float64Array, from: number, n: number): Float64Array {
  return Float64Array.from({ length: bias.length }, (_, row) => {
    let acc = bias[row]!;
    for (let i = 0; i < n; i++) acc += rows[row * n + i]! * x[from + i]!;
    return acc;
  });
}

/** Advances one row by one step: reads x at `from`, updates h and c. */
type StepFn = (d: Direction, x: Float64Array, from: number, h: Float64Array, cell: Float64Array) => void;

const rnnStep: StepFn = (d, x, from, h) => {
  const a = affine(d.w, d.bw, x, from, d.inputs);
  const b = affine(d.r, d.br, h, 0, d.hidden);
  for (let j = 0; j < d.hidden; j++) h[j] = d.f[0]!(a[j]! + b[j]!);
};

/** Gates i, o, f, c; peepholes P in order i, o, f. */
const lstmStep: StepFn = (d, x, from, h, cell) => {
  const n = d.hidden;
  const a = affine(d.w, d.bw, x, from, d.inputs);
  const b = affine(d.r, d.br, h, 0, n);
  const z = a.map((v, i) => v + b[i]!);
  for (let j = 0; j < n; j++) {
    const i = d.f[0]!(z[j]! + d.p[j]! * cell[j]!);
    const f = d.f[0]!(z[2 * n + j]! + d.p[2 * n + j]! * cell[j]!);
    cell[j] = f * cell[j]! + i * d.f[1]!(z[3 * n + j]!);
    h[j] = d.f[0]!(z[n + j]! + d.p[n + j]! * cell[j]!) * d.f[2]!(cell[j]!);
  }
};

/** Gates z, r, h; `after` applies the reset gate after the recurrent product. */
function gruStep(after: boolean): StepFn {
  return (d, x, from, h) => {
    const n = d.hidden;
    const a = affine(d.w, d.bw, x, from, d.inputs);
    const b = affine(d.r, d.br, h, 0, n);
    const gate = (k: number): Float64Array =>
      Float64Array.from({ length: n }, (_, j) => d.f[0]!(a[k * n + j]! + b[k * n + j]!));
    const [z, r] = [gate(0), gate(1)];
    const reset = after
      ? undefined
      : affine(
          d.r.subarray(2 * n * n),
          d.br.subarray(2 * n),
          h.map((v, j) => v * r[j]!),
          0,
          n,
        );
    for (let j = 0; j < n; j++) {
      const u = reset ? reset[j]! : r[j]! * b[2 * n + j]!;
      h[j] = (1 - z[j]!) * d.f[1]!(a[2 * n + j]! + u) + z[j]! * h[j]!;
    }
  };
}

function activations(c: EvalContext, defaults: readonly string[], directions: number): Fn[] {
  const names = c.strings('activations') ?? Array.from({ length: directions }, () => defaults).flat();
  const [alpha, beta] = [c.floats('activation_alpha') ?? [], c.floats('activation_beta') ?? []];
  return names.map((name, i) => {
    const key = Object.keys(ACTIVATIONS).find((k) => k.toLowerCase() === name.toLowerCase());
    const f = key === undefined ? c.fail('UnsupportedForm', `activation ${name} is not supported`) : ACTIVATIONS[key]!;
    return f(
      alpha[i] ?? (name === 'HardSigmoid' ? 0.2 : name === 'LeakyRelu' ? 0.01 : 1),
      beta[i] ?? (name === 'HardSigmoid' ? 0.5 : 0),
    );
  });
}

/** Runs a layer of `gates` gates; outputs Y, Y_h and Y_c in ONNX's layouts. */
function layer(gates: number, defaults: readonly string[], step: (c: EvalContext) => StepFn): EvalOp {
  return (c) => {
    const byBatch = c.int('layout', 0) !== 0;
    const x = byBatch ? permute(c.get(0), [1, 0, 2]) : c.get(0);
    const [time, batch, inputs] = x.shape as [number, number, number];
    const direction = c.string('direction', 'forward');
    const count = direction === 'bidirectional' ? 2 : 1;
    const hidden = c.int('hidden_size', c.get(2).shape.at(-1)!);
    if (c.has('clip') || c.int('input_forget', 0) !== 0)
      c.fail('UnsupportedForm', 'clip and input_forget are not supported');
    const rows = gates * hidden;
    const f = activations(c, defaults, count);
    const perDirection = f.length / count;
    const part = (i: number, size: number, k: number): Float64Array =>
      c.inputs[i]?.data.subarray(k * size, (k + 1) * size) ?? new Float64Array(size);
    const initial = (i: number): Float64Array => {
      const given = c.inputs[i];
      return given
        ? (byBatch ? permute(given, [1, 0, 2]) : given).data.slice()
        : new Float64Array(count * batch * hidden);
    };
    const [h, cell] = [initial(5), initial(6)];
    const y = new Float64Array(time * count * batch * hidden);
    const advance = step(c);
    for (let k = 0; k < count; k++) {
      const bias = part(3, 2 * rows, k);
      const d: Direction = {
        ...{
          w: part(1, rows * inputs, k),
          r: part(2, rows * hidden, k),
          bw: bias.subarray(0, rows),
          br: bias.subarray(rows),
        },
        ...{ p: part(7, 3 * hidden, k), f: f.slice(k * perDirection, (k + 1) * perDirection), hidden, inputs },
      };
      const backwards = direction === 'reverse' || k === 1;
      for (let b = 0; b < batch; b++) {
        const length = c.inputs[4]?.data[b] ?? time;
        const at = (k * batch + b) * hidden;
        const [own, memory] = [h.subarray(at, at + hidden), cell.subarray(at, at + hidden)];
        for (let s = 0; s < length; s++) {
          const t = backwards ? length - 1 - s : s;
          advance(d, x.data, (t * batch + b) * inputs, own, memory);
          y.set(own, ((t * count + k) * batch + b) * hidden);
        }
      }
    }
    const dtype = x.dtype;
    const full = arrayOf(dtype, [time, count, batch, hidden], y);
    const last = (v: Float64Array): OnnxArray => arrayOf(dtype, [count, batch, hidden], v);
    if (!byBatch) return [full, last(h), last(cell)];
    return [permute(full, [2, 0, 1, 3]), permute(last(h), [1, 0, 2]), permute(last(cell), [1, 0, 2])];
  };
}

/** Recurrent layers. */
export const RECURRENT: Readonly<Record<string, EvalOp>> = {
  GRU: layer(3, ['Sigmoid', 'Tanh'], (c) => gruStep(c.int('linear_before_reset', 0) !== 0)),
  LSTM: layer(4, ['Sigmoid', 'Tanh', 'Tanh'], () => lstmStep),
  RNN: layer(1, ['Tanh'], () => rnnStep),
};
