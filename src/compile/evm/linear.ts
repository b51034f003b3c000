/**
 * dense and conv2d: their operands as rows of products over packed words.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { i4At } from '../../core/tensor.ts';
import type { Model } from '../../graph/ir.ts';
import type { Stage, TensorType } from '../../ops/define.ts';
import { elementOf, fieldsOf, imageDims, type Packed, packed, padded } from './layout.ts';
import { fieldBits, fieldOffset, type Rows } from './rows.ts';

/** How many pixels one word holds along each axis. */
export interface Patch {
  readonly h: number;
  readonly w: number;
}

/** A dense or conv2d node. */
export interface LinearNode {
  readonly x: number;
  readonly rows: number;
  /** Kernel, strides and dilations; 1 for dense. */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  /** Channels of the input, of one group, and rows of one group. */
  readonly channels: number;
  readonly perGroup: number;
  readonly rowsPerGroup: number;
  readonly stage: Stage | undefined;
  readonly bias: { readonly [i: number]: number };
  /** Weight of row o, tap (ky, kx), channel j of its group. */
  weight(o: number, ky: number, kx: number, j: number): number;
  readonly plus: readonly number[];
  readonly minus: readonly number[];
  readonly weightBits: number;
  /** Interval of x, its zero point joined where taps may lie outside. */
  readonly lo: number;
  readonly hi: number;
  readonly zp: number;
}

function denseWeights(model: Model, inputs: readonly number[], block: number): (o: number, k: number) => number {
  const w = model.tensors[inputs[1]!]!;
  const k = w.shape[1] as number;
  const data = w.data!;
  if (block === 0) return (o, j) => data[o * k + j]!;
  const u = model.tensors[inputs[3]!]!;
  const width = u.shape[1] as number;
  return (o, j) => i4At(data, o * k + j) * (u.data![o * width + floorDiv(j, block)]! + 128);
}

/** Reads node `i`, a dense or a conv2d. */
export function linearNode(model: Model, i: number): LinearNode {
  const { op, inputs, attrs } = model.nodes[i]!;
  const x = model.tensors[inputs[0]!]!;
  const w = model.tensors[inputs[1]!]!;
  const rows = w.shape[0] as number;
  const bias = model.tensors[inputs[2]!]!.data!;
  const stage = attrs.stage as Stage | undefined;
  const [xlo, xhi] = [x.lo as number, x.hi as number];
  let base: Omit<LinearNode, 'plus' | 'minus' | 'weightBits'>;
  const common = { x: inputs[0]!, rows, stage, bias, zp: x.zp };
  if (op === 'dense') {
    const weight = denseWeights(model, inputs, attrs.block as number);
    base = {
      ...common,
      kernel: [1, 1],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      channels: w.shape[1] as number,
      perGroup: w.shape[1] as number,
      rowsPerGroup: rows,
      weight: (o, _ky, _kx, j) => weight(o, j),
      lo: xlo,
      hi: xhi,
    };
  } else {
    const [, kh, kw, cg] = w.shape as [number, number, number, number];
    const pads = attrs.pads as [number, number, number, number];
    const outside = pads.some((p) => p > 0);
    base = {
      ...common,
      kernel: [kh, kw],
      strides: attrs.strides as [number, number],
      dilations: attrs.dilations as [number, number],
      pads,
      channels: x.shape[3] as number,
      perGroup: cg,
      rowsPerGroup: floorDiv(rows, attrs.groups as number),
      weight: (o, ky, kx, j) => w.data![((o * kh + ky) * kw + kx) * cg + j]!,
      lo: outside ? Math.min(xlo, x.zp) : xlo,
      hi: outside ? Math.max(xhi, x.zp) : xhi,
    };
  }
  const plus: number[] = [];
  const minus: number[] = [];
  let most = 0;
  for (let o = 0; o < rows; o++) {
    let [p, m] = [0, 0];
    for (let ky = 0; ky < base.kernel[0]; ky++)
      for (let kx = 0; kx < base.kernel[1]; kx++)
        for (let j = 0; j < base.perGroup; j++) {
          const v = base.weight(o, ky, kx, j);
          if (v > 0) p += v;
          else m += v;
          most = Math.max(most, v < 0 ? -1 - v : v);
        }
    plus.push(p);
    minus.push(m);
  }
  return { ...base, plus, minus, weightBits: most < 128 ? 8 : 12 };
}

/** The layout in which a node wants its input, and the patch that it makes of the pixels; `run` elements a run. */
export function inputLayout(n: LinearNode, type: TensorType, run: number): { layout: Packed; patch: Patch } {
  const span = n.hi - n.lo;
  const bits = Math.max(n.weightBits, fieldBits(span, n.plus, n.minus));
  const shape = type.shape as readonly number[];
  const room = floorDiv(256, bits);
  const [kh, kw] = n.kernel;
  if (kh * kw === 1 && n.strides[0] * n.strides[1] === 1 && n.pads.every((p) => p === 0)) {
    const count = shape.reduce((a, b) => a * b, 1);
    return {
      layout: packed({ bits, run, lo: n.lo, span, dims: [1, 1, floorDiv(count, Math.max(1, run))] }),
      patch: { h: 1, w: 1 },
    };
  }
  const w = n.dilations[1] > 1 ? 1 : Math.max(1, Math.min(kw, floorDiv(room, Math.max(1, run))));
  const h = w < kw || n.dilations[0] > 1 ? 1 : Math.max(1, Math.min(kh, floorDiv(room, Math.max(1, run * kw))));
  const even = w === kw ? w : floorDiv(kw + (floorDiv(kw + w - 1, w) - 1), floorDiv(kw + w - 1, w));
  const [top, left, bottom, right] = n.pads;
  const layout = packed({
    bits,
    run,
    lo: n.lo,
    span,
    dims: imageDims(shape),
    slack: even - 1,
    ...(n.pads.some((p) => p > 0) ? { pads: { top, left, bottom, right, fill: n.zp - n.lo } } : {}),
  });
  return { layout, patch: { h, w: even } };
}

/** First taps of the words that cover a kernel axis: the last word may overlap the one before. */
function starts(kernel: number, patch: number): number[] {
  const list: number[] = [];
  for (let k = 0; k < kernel; k += patch) list.push(Math.min(k, kernel - patch));
  return list;
}

/** One word of a window: fields (row o) → weight. */
interface Group {
  readonly offset: number;
  readonly fields: number;
  weights(o: number): number[];
}

function convGroups(n: LinearNode, f: Packed, patch: Patch): Group[] {
  const [kh, kw] = n.kernel;
  const wide = padded(f).w;
  const groups: Group[] = [];
  let doneY = 0;
  for (const ky of starts(kh, patch.h)) {
    let doneX = 0;
    for (const kx of starts(kw, patch.w)) {
      const [fromY, fromX] = [doneY, doneX]; // taps before these are another word's
      for (let g = 0; g < f.words; g++) {
        const count = fieldsOf(f, g);
        groups.push({
          offset: 32 * ((ky * n.dilations[0] * wide + kx * n.dilations[1]) * f.words + g),
          fields: patch.h * patch.w * count,
          weights: (o) => {
            const first = floorDiv(o, n.rowsPerGroup) * n.perGroup;
            const out: number[] = [];
            for (let dy = 0; dy < patch.h; dy++)
              for (let dx = 0; dx < patch.w; dx++)
                for (let k = 0; k < count; k++) {
                  const j = g * f.per + k - first;
                  const mine = ky + dy >= fromY && kx + dx >= fromX && j >= 0 && j < n.perGroup;
                  out.push(mine ? n.weight(o, ky + dy, kx + dx, j) : 0);
                }
            return out;
          },
        });
      }
      doneX = kx + patch.w;
    }
    doneY = ky + patch.h;
  }
  return groups;
}

/** Words of a dense row: several runs where the input's last axis is a part of K. */
function denseGroups(n: LinearNode, f: Packed): Group[] {
  const groups: Group[] = [];
  for (let run = 0; run * f.run < n.channels; run++)
    for (let g = 0; g < f.words; g++) {
      const fields = fieldsOf(f, g);
      groups.push({
        offset: 32 * (run * f.words + g),
        fields,
        weights: (o) => Array.from({ length: fields }, (_, k) => n.weight(o, 0, 0, run * f.run + elementOf(f, g, k))),
      });
    }
  return groups;
}

/** The rows of a node over its input in this layout. */
export function rowsOf(n: LinearNode, f: Packed, patch: Patch): Rows {
  const flat = f.run !== n.channels || (n.kernel[0] * n.kernel[1] === 1 && f.pads === undefined);
  const groups = flat && n.perGroup === n.channels ? denseGroups(n, f) : convGroups(n, f, patch);
  return {
    count: n.rows,
    bits: f.bits,
    span: f.span,
    groups,
    weights: (o) => groups.map((g) => g.weights(o)),
    bias: (o) => n.bias[o]! + (n.plus[o]! + n.minus[o]!) * (f.lo - n.zp),
    stage: n.stage,
    plus: n.plus,
    minus: n.minus,
    offset: fieldOffset(f.span, n.minus),
    weightBits: n.weightBits,
  };
}
