/**
 * The float graph: what importers lower to and what calibration and quantization read. Layouts are those of the integer
 * ops: images NHWC, conv weights OHWI, dense weights [O,K], channels last (spec/10-ops.md §2). Every shape is concrete.
 * @module
 */
import type { UnaryFn } from './unary.ts';

/** A value of the graph. Ids are dense positions in `FloatGraph.tensors`; `name` is the source model's, for reports. */
export interface FloatTensor {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
}

/** Fused activation limits in real values; ±Infinity where there are none. */
export interface Limits {
  readonly lo: number;
  readonly hi: number;
}

/** Window of a convolution or pool over axes 1 and 2; pads are top, left, bottom, right. */
export interface Window {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** y = clamp(b + Σ w·x): weight [O,KH,KW,C/g] row-major, bias [O]; padding taps add 0. */
export interface Conv2d extends Window, Limits {
  readonly kind: 'conv2d';
  readonly weight: Float64Array;
  readonly kernel: readonly [number, number];
  readonly bias: Float64Array;
  readonly groups: number;
}

/** y = clamp(b + Σ w·x) over the last axis: weight [O,K] row-major, bias [O]. */
export interface Dense extends Limits {
  readonly kind: 'dense';
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** Maximum or average over a window; `overhang` (bottom, right) is how far ceil_mode's last window reaches past the pads. */
export interface Pool extends Window {
  readonly kind: 'max_pool2d' | 'avg_pool2d';
  readonly kernel: readonly [number, number];
  readonly overhang: readonly [number, number];
  /** Average: declared pads count as zeros. */
  readonly includePad: boolean;
}

/** Mean over `axes`, which are removed. */
export interface Mean {
  readonly kind: 'mean';
  readonly axes: readonly number[];
}

/** y = clamp(ca·a + cb·b), NumPy broadcasting. */
export interface Linear extends Limits {
  readonly kind: 'linear';
  readonly ca: number;
  readonly cb: number;
}

/** y = x·scale + shift along the last axis; both have one entry or one a channel. */
export interface AffineOp {
  readonly kind: 'affine';
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** y = min(max(x, lo), hi). */
export interface Clamp extends Limits {
  readonly kind: 'clamp';
}

/** y = fₙ(…f₁(x)). */
export interface Unary {
  readonly kind: 'unary';
  readonly fns: readonly UnaryFn[];
}

/** Softmax over the last axis. */
export interface Softmax {
  readonly kind: 'softmax';
}

/** Same elements in the output's shape. */
export interface Reshape {
  readonly kind: 'reshape';
}

/** y's axis i is x's axis perm[i]. */
export interface Transpose {
  readonly kind: 'transpose';
  readonly perm: readonly number[];
}

/** Constant padding of each axis; `value` has one entry or one a channel. */
export interface Pad {
  readonly kind: 'pad';
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: Float64Array;
}

/** A constant tensor. */
export interface Const {
  readonly kind: 'constant';
  readonly data: Float64Array;
}

/** Any operation of the float graph. */
export type FloatOp =
  | Conv2d
  | Dense
  | Pool
  | Mean
  | Linear
  | AffineOp
  | Clamp
  | Unary
  | Softmax
  | Reshape
  | Transpose
  | Pad
  | Const;

/** The kinds of float operations. */
export type FloatKind = FloatOp['kind'];

/** One operation with its operands; `name` and `source` are the source node's name and op, for reports and refusals. */
export interface FloatNode {
  readonly op: FloatOp;
  readonly inputs: readonly number[];
  readonly output: number;
  readonly name: string;
  readonly source: string;
}

/**
 * How the caller's tensor relates to the graph's: element axis i of the source model is axis perm[i] of the graph's.
 * Identity, or [0,3,1,2] where a source NCHW image is NHWC here.
 */
export interface FloatPort {
  readonly tensor: number;
  readonly name: string;
  readonly perm: readonly number[];
}

/** An input: `index` marks integer data (token ids), which is not quantized. */
export interface FloatInput extends FloatPort {
  readonly index: boolean;
}

/** An acyclic graph; nodes stand in order of execution and each tensor has one producer (a node or an input). */
export interface FloatGraph {
  readonly name: string;
  readonly tensors: readonly FloatTensor[];
  readonly inputs: readonly FloatInput[];
  readonly nodes: readonly FloatNode[];
  readonly outputs: readonly FloatPort[];
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** Source shape of a port: its graph shape seen through `perm`. */
export function sourceShape(graph: FloatGraph, port: FloatPort): number[] {
  return port.perm.map((p) => graph.tensors[port.tensor]!.shape[p]!);
}
