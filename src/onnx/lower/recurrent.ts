/**
 * LSTM and GRU with constant weights as the engine's cells (spec/10-ops.md §7).
 * @module
 */
import type { FloatOp } from '../../quant/float-graph.ts';
import type { Cell } from '../../quant/float-sequence.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** A layer's extents, and how its tensors lie: `byBatch` is layout 1. */
interface Layer {
  readonly gates: readonly number[];
  readonly hidden: number;
  readonly directions: number;
  readonly byBatch: boolean;
}

/** Refuses what a cell cannot do, and gives the layer's extents; `gates` says which of the source's gates each row block is. */
function layerOf(c: LowerContext, gates: readonly number[], activations: readonly string[]): Layer {
  const direction = c.string('direction', 'forward');
  const directions = direction === 'bidirectional' ? 2 : 1;
  const names = c.strings('activations');
  const usual = names?.every((n, i) => n.toLowerCase() === activations[i % activations.length]!.toLowerCase()) ?? true;
  if (!usual) c.fail('UnsupportedForm', `its activations must be ${activations.join(', ')}`);
  if (c.has('clip') || c.int('input_forget', 0) !== 0)
    c.fail('UnsupportedForm', 'clip and input_forget are not supported');
  const hidden = c.int('hidden_size', c.weights(2, 'the recurrent weight').shape.at(-1)!);
  const [time] = c.int('layout', 0) !== 0 ? [c.shape(0)[1]!] : c.shape(0);
  if (c.given(4) && c.intsInput(4, 'the lengths of the sequences').some((n) => n !== time))
    c.fail('UnsupportedForm', 'sequences of different lengths are not supported', 'Run each length by itself.');
  return { gates, hidden, directions, byBatch: c.int('layout', 0) !== 0 };
}

/** Row blocks of direction k of input i, in the cell's order of gates; `from` is the first block; zeros where it is left out. */
function blocks(c: LowerContext, layer: Layer, i: number, k: number, width: number, from = 0): Float64Array {
  const { gates, hidden, directions } = layer;
  const size = hidden * width;
  const out = new Float64Array(gates.length * size);
  if (!c.given(i)) return out;
  const { data } = c.weights(i, i === 3 ? 'the bias' : 'the weight');
  const own = k * (data.length / directions) + from * size;
  if (data.length < directions * (from + gates.length) * size) c.fail('BadGraph', `input ${i} has too few values`);
  gates.forEach((gate, row) => out.set(data.subarray(own + gate * size, own + (gate + 1) * size), row * size));
  return out;
}

/** Initial state i of direction k: its values [N,H] where it is constant or left out; else an operand. */
function state(
  c: LowerContext,
  layer: Layer,
  i: number,
  k: number,
  batch: number,
): { readonly data: Float64Array | undefined; readonly operand: readonly number[] } {
  const { hidden, directions, byBatch } = layer;
  if (!c.given(i)) return { data: new Float64Array(batch * hidden), operand: [] };
  const shape = byBatch ? [batch, directions, hidden] : [directions, batch, hidden];
  if (`${c.shape(i)}` !== `${shape}`) c.fail('BadGraph', `a state has shape [${c.shape(i)}] instead of [${shape}]`);
  if (c.constant(i)) {
    const { data } = c.weights(i, 'the state');
    const row = (n: number): number => (byBatch ? n * directions + k : k * batch + n) * hidden;
    const own = new Float64Array(batch * hidden);
    for (let n = 0; n < batch; n++) own.set(data.subarray(row(n), row(n) + hidden), n * hidden);
    return { data: own, operand: [] };
  }
  const all = c.graph.ordered(c.node, c.unshaped(i), byBatch ? [1, 0, 2] : [0, 1, 2]);
  const start = [k, 0, 0];
  const one = { kind: 'slice', start, step: [1, 1, 1], size: [1, batch, hidden] } as const;
  const part = directions === 1 ? all : c.emit(one, [all], [1, batch, hidden]);
  return { data: undefined, operand: [c.graph.reshape(c.node, part, [batch, hidden])] };
}

/** Hidden values [T,N,H] of one direction, and its last cells [N,H] where they are asked for. */
type Direction = (cell: Cell, x: number, h0: readonly number[], k: number, batch: number) => readonly [number, number?];

/** Defines Y, Y_h and Y_c of a layer. */
function setLayer(c: LowerContext, layer: Layer, recurrentBias: boolean, direction: Direction): void {
  const { gates, hidden, directions, byBatch } = layer;
  const x = c.graph.ordered(c.node, c.unshaped(0), byBatch ? [1, 0, 2] : [0, 1, 2]);
  const [time, batch, width] = c.graph.stored(x) as [number, number, number];
  if (time < 1 || batch < 1) c.fail('UnsupportedForm', 'a sequence without steps is not supported');
  const rows: number[] = [];
  const lasts: number[] = [];
  const cells: number[] = [];
  const kept = [1, batch, hidden];
  for (let k = 0; k < directions; k++) {
    const reverse = k === 1 || c.string('direction', 'forward') === 'reverse';
    const h0 = state(c, layer, 5, k, batch);
    const bias = blocks(c, layer, 3, k, 1);
    if (recurrentBias) blocks(c, layer, 3, k, 1, gates.length).forEach((v, i) => (bias[i]! += v));
    const weights = { wx: blocks(c, layer, 1, k, width), wh: blocks(c, layer, 2, k, hidden) };
    const cell: Cell = { ...weights, bias, hidden, reverse, h0: h0.data };
    const [h, last] = direction(cell, x, h0.operand, k, batch);
    rows.push(c.graph.reshape(c.node, h, [time, 1, batch, hidden]));
    const end = { kind: 'slice', start: [reverse ? 0 : time - 1, 0, 0], step: [1, 1, 1], size: kept } as const;
    lasts.push(time === 1 ? h : c.emit(end, [h], kept));
    if (last !== undefined) cells.push(c.graph.reshape(c.node, last, kept));
  }
  const joined = (parts: readonly number[], axis: number): number => {
    const shape = c.graph.stored(parts[0]!).map((d, i) => (i === axis ? d * parts.length : d));
    return parts.length === 1 ? parts[0]! : c.emit({ kind: 'concat', axis }, parts, shape);
  };
  const set = (id: number, perm: readonly number[], o: number): void => c.set({ id, perm, shape: null }, o);
  set(joined(rows, 1), byBatch ? [2, 0, 1, 3] : [0, 1, 2, 3], 0);
  set(joined(lasts, 0), byBatch ? [1, 0, 2] : [0, 1, 2], 1);
  if (cells.length > 0) set(joined(cells, 0), byBatch ? [1, 0, 2] : [0, 1, 2], 2);
}

/** LSTM: the source's gates i, o, f, c. */
const LSTM: OpLowering = (c) => {
  const layer = layerOf(c, [0, 2, 3, 1], ['Sigmoid', 'Tanh', 'Tanh']);
  if (c.given(7) && c.weights(7, 'the peepholes').data.some((v) => v !== 0))
    c.fail('UnsupportedForm', 'peepholes are not supported');
  const asked = c.graph.isRead(c.node.outputs[2] ?? '');
  setLayer(c, layer, true, (cell, x, h0, k, batch) => {
    const c0 = state(c, layer, 6, k, batch);
    const states = [x, ...h0, ...c0.operand];
    const shape = [c.graph.stored(x)[0]!, batch, layer.hidden];
    const op = { kind: 'lstm', ...cell, c0: c0.data } as const;
    const of = (what: 'cells' | 'h' | 'last_c', more: readonly number[], own: readonly number[]): number =>
      c.emit({ ...op, what } satisfies FloatOp, [...states, ...more], own, 'real');
    const cells = of('cells', [], shape);
    const h = of('h', [cells], shape);
    return asked ? [h, of('last_c', [cells, h], [batch, layer.hidden])] : [h];
  });
};

/** GRU: the source's gates z, r, h. */
const GRU: OpLowering = (c) => {
  const layer = layerOf(c, [0, 1, 2], ['Sigmoid', 'Tanh']);
  const { hidden } = layer;
  const behind = c.int('linear_before_reset', 0) !== 0;
  setLayer(c, layer, true, (cell, x, h0, k, batch) => {
    const recurrent = blocks(c, layer, 3, k, 1, 3).subarray(2 * hidden);
    const bias = cell.bias.map((v, i) => (behind && i >= 2 * hidden ? v - recurrent[i - 2 * hidden]! : v));
    const op = { kind: 'gru', ...cell, bias, bh: behind ? recurrent : undefined } as const;
    return [c.emit(op, [x, ...h0], [c.graph.stored(x)[0]!, batch, hidden], 'real')];
  });
};

/** Recurrent layers. */
export const RECURRENT: Readonly<Record<string, OpLowering>> = { GRU, LSTM };
