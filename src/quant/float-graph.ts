/**
 * The float graph: what importers lower to and what calibration and quantization read. Layouts are those of the integer
 * ops: images NHWC, conv weights OHWI, dense weights [O,K], channels last (spec/10-ops.md §2). Every shape is concrete; with
 * symbols it is that at one size.
 * @module
 */
import type { Dim, SymbolDecl } from '../core/dim.ts';
import type { CumSum, Gru, Lstm, Nms, Rope, TopK } from './float-sequence.ts';
import type { QType } from './scales.ts';
import type { UnaryFn } from './unary.ts';

/** What a tensor holds: reals, which are quantized; whole numbers (indices, integer data); or truth values 0 and 1. */
export type Domain = 'real' | 'int' | 'bool';

/**
 * A value of the graph. Ids are dense positions in `FloatGraph.tensors`; `name` is the source model's, for reports. `pin` is
 * the integer type that the source model gives it.
 */
export interface FloatTensor {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly domain: Domain;
  /** The shape in the graph's symbols, where a dim depends on them. */
  readonly dims?: readonly Dim[] | undefined;
  readonly pin?: QType | undefined;
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

/** Weights that are integers already: one scale a row, each weight a multiple of it. */
export interface Stepped {
  readonly steps?: Float64Array | undefined;
}

/** y = clamp(b + Σ w·x): weight [O,KH,KW,C/g] row-major, bias [O]; padding taps add 0. */
export interface Conv2d extends Window, Limits, Stepped {
  readonly kind: 'conv2d';
  readonly weight: Float64Array;
  readonly kernel: readonly [number, number];
  readonly bias: Float64Array;
  readonly groups: number;
}

/** The transposed convolution of OHWI weights: every input pixel adds its taps at stride times its place, less the pads. */
export interface ConvTranspose2d extends Window, Limits, Stepped {
  readonly kind: 'conv_transpose2d';
  readonly weight: Float64Array;
  readonly kernel: readonly [number, number];
  readonly bias: Float64Array;
  readonly groups: number;
  /** Rows and columns added below and right. */
  readonly padding: readonly [number, number];
}

/** What multiplies its operand by constant weights and adds a bias per row. */
export type Layer = Conv2d | ConvTranspose2d | Dense;

/** True for a layer. */
export function isLayer(op: FloatOp): op is Layer {
  return op.kind === 'conv2d' || op.kind === 'conv_transpose2d' || op.kind === 'dense';
}

/** y = clamp(b + Σ w·x) over the last axis: weight [O,K] row-major, bias [O]. */
export interface Dense extends Limits, Stepped {
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

/** a·b over the last two axes, batches broadcast; with `tb` b is […,N,K]. */
export interface Matmul extends Limits {
  readonly kind: 'matmul';
  readonly tb: boolean;
}

/** Sum, mean or extremum over `axes`, which are removed. */
export interface Reduce {
  readonly kind: 'reduce';
  readonly how: 'sum' | 'mean' | 'max' | 'min';
  readonly axes: readonly number[];
}

/** Index of the extremum along `axis`, which is removed; the first one, or the last. */
export interface Arg {
  readonly kind: 'arg';
  readonly how: 'max' | 'min';
  readonly axis: number;
  readonly last: boolean;
}

/** y = clamp(ca·a + cb·b), NumPy broadcasting. */
export interface Linear extends Limits {
  readonly kind: 'linear';
  readonly ca: number;
  readonly cb: number;
}

/** y = clamp(a·b), or a/b; NumPy broadcasting. */
export interface Product extends Limits {
  readonly kind: 'mul' | 'div';
}

/** y = min(a, b) or max(a, b); NumPy broadcasting. */
export interface Extremum {
  readonly kind: 'extremum';
  readonly how: 'min' | 'max';
}

/** y = a ∘ b as 0 or 1; NumPy broadcasting. */
export interface Compare {
  readonly kind: 'compare';
  readonly how: 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne';
}

/** Truth functions; `not` has one operand. */
export interface Logical {
  readonly kind: 'logical';
  readonly how: 'and' | 'or' | 'xor' | 'not';
}

/** y = c ? a : b, operands (c, a, b); NumPy broadcasting. */
export interface Where {
  readonly kind: 'where';
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

/** y = (clamp(⌊x/scale⌉ + zp, lo, hi) − zp)·scale, ties to even: reals in the steps of an integer type. */
export interface Quant {
  readonly kind: 'quant';
  readonly type: QType;
}

/** Softmax over the last axis; with a second operand (bool) only entries where it is 1, with `causal` only j ≤ i + causal. */
export interface Softmax {
  readonly kind: 'softmax';
  readonly causal: number | null;
}

/** Logarithm of the softmax over the last axis. */
export interface LogSoftmax {
  readonly kind: 'log_softmax';
}

/**
 * y = (x − mean)/√(variance + eps)·gamma + beta over the last axis; gamma and beta have one entry a channel. With `rms` the
 * mean counts as 0.
 */
export interface LayerNorm {
  readonly kind: 'layer_norm';
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
  readonly eps: number;
  readonly rms: boolean;
}

/** As LayerNorm over an image's groups of channels [H,W,C/groups]; gamma and beta have one entry a channel of [N,H,W,C]. */
export interface GroupNorm {
  readonly kind: 'group_norm';
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
  readonly eps: number;
  readonly groups: number;
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

/** Inputs in order along `axis`. */
export interface Concat {
  readonly kind: 'concat';
  readonly axis: number;
}

/** y[i] = x[start + step·i] on every axis. */
export interface Slice {
  readonly kind: 'slice';
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly size: readonly number[];
  /** `start` in the graph's symbols, where it depends on them. */
  readonly starts?: readonly Dim[] | undefined;
}

/** x[…, indices, …] along `axis`: the second operand, whole numbers within the axis. */
export interface Gather {
  readonly kind: 'gather';
  readonly axis: number;
}

/** x broadcast to the output's shape. */
export interface Expand {
  readonly kind: 'expand';
}

/** y[i] = x[i mod dim]. */
export interface Tile {
  readonly kind: 'tile';
  readonly repeats: readonly number[];
}

/** Blocks of channels laid out in space, or back (mode DCR). */
export interface Shuffle {
  readonly kind: 'depth_to_space' | 'space_to_depth';
  readonly block: number;
  readonly mode: 'DCR' | 'CRD';
}

/** Source coordinate (a·o + b)/d of output index o: for `nearest` its floor, cut to the axis. */
export interface ResizeCoefficients {
  readonly a: number;
  readonly b: number;
  readonly d: number;
}

/** Axes 1 and 2 of [N,H,W,C] resampled: nearest or bilinear. */
export interface Resize {
  readonly kind: 'resize';
  readonly mode: 'nearest' | 'linear';
  readonly y: ResizeCoefficients;
  readonly x: ResizeCoefficients;
}

/** The same numbers in another domain: whole numbers or truth values as reals, truth values as whole numbers. */
export interface Cast {
  readonly kind: 'cast';
}

/** Padding of each axis; `value` (mode constant) has one entry or one a channel. */
export interface Pad {
  readonly kind: 'pad';
  readonly mode: 'constant' | 'edge' | 'reflect';
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: Float64Array;
}

/** A constant tensor. */
export interface Const {
  readonly kind: 'constant';
  readonly data: Float64Array;
  /** The constant at the symbols' maxima, where its shape depends on them: `data` is the first of it along every axis. */
  readonly full?: { readonly data: Float64Array; readonly shape: readonly number[] } | undefined;
}

/** Any operation of the float graph. */
export type FloatOp =
  | Conv2d
  | ConvTranspose2d
  | Dense
  | Matmul
  | Pool
  | Reduce
  | Arg
  | Linear
  | Product
  | Extremum
  | Compare
  | Logical
  | Where
  | AffineOp
  | Clamp
  | Unary
  | Quant
  | Softmax
  | LogSoftmax
  | LayerNorm
  | GroupNorm
  | Lstm
  | Gru
  | CumSum
  | TopK
  | Rope
  | Nms
  | Reshape
  | Transpose
  | Concat
  | Slice
  | Gather
  | Expand
  | Tile
  | Shuffle
  | Resize
  | Cast
  | Pad
  | Const;

/** The kinds of float operations. */
export type FloatKind = FloatOp['kind'];

/** The operation of kind K. */
export type OpOf<K extends FloatKind> = FloatOp & { readonly kind: K };

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
  /** Where the caller's numbers are integers q of the source: the real value is (q − zp)·scale. */
  readonly integers?: { readonly scale: number; readonly zp: number; readonly u8: boolean } | undefined;
}

/** An input; its tensor's domain says what the caller passes. */
export type FloatInput = FloatPort;

/** An acyclic graph; nodes stand in order of execution and each tensor has one producer (a node or an input). */
export interface FloatGraph {
  readonly name: string;
  readonly tensors: readonly FloatTensor[];
  readonly inputs: readonly FloatInput[];
  readonly nodes: readonly FloatNode[];
  readonly outputs: readonly FloatPort[];
  /** Symbols of the tensors' dims; none where every shape is fixed. */
  readonly symbols?: readonly SymbolDecl[] | undefined;
}

/** True where an input is integer data or truth values, which are not quantized. */
export function isIndex(graph: Pick<FloatGraph, 'tensors'>, input: FloatPort): boolean {
  return graph.tensors[input.tensor]!.domain !== 'real';
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** Source shape of a port: its graph shape seen through `perm`. */
export function sourceShape(graph: FloatGraph, port: FloatPort): number[] {
  return port.perm.map((p) => graph.tensors[port.tensor]!.shape[p]!);
}
