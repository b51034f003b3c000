/**
 * Layers with i4 weights: dense, over the last axis or over the taps of a convolution as channels.
 * @module
 */
import type { Conv2d, Dense } from '../float-graph.ts';
import type { Ref } from '../graph-writer.ts';
import { INT4_BLOCK, packInt4, quantizeInt4 } from '../int4.ts';
import { compactMultipliers, type LayerSpec, type QType } from '../scales.ts';
import { type EmitContext, output, type Quantized } from './context.ts';

/** Least length of rows that i4 weights are worth their block scales for. */
const LEAST_ROW = 32;
/** Least weights of a layer of several taps that are worth the nodes that lay them out. */
const LEAST_TAPPED = 4096;

/** True where a convolution is rows over the channels of every pixel. */
function pointwise({ kernel, strides, pads }: Conv2d): boolean {
  return [...kernel, ...strides].every((v) => v === 1) && pads.every((p) => p === 0);
}

/** True where the layer takes i4 weights: it is asked for, not given as integers, and worth it. */
export function takesInt4(c: EmitContext, op: Conv2d | Dense): boolean {
  const k = op.weight.length / op.bias.length;
  if (c.scope.weights !== 'i4' || op.steps !== undefined || !(k >= LEAST_ROW)) return false;
  if (op.kind === 'dense') return true;
  return op.groups === 1 && (pointwise(op) || (op.weight.length >= LEAST_TAPPED && c.dims === c.shape));
}

/** x [N,H,W,C] → [N,OH,OW,KH·KW·C]: a slice a tap of the padded image. */
function taps(c: EmitContext, op: Conv2d, { ref, type }: Quantized): Ref {
  const [n, oh, ow] = c.shape as readonly [number, number, number];
  const channels = c.inputShape()[3]!;
  const [top, left, bottom, right] = op.pads;
  const zero = (): Ref =>
    c.writer.constant(type.dtype, [], (type.dtype === 'i8' ? Int8Array : Int16Array).of(type.zp), type.zp);
  const frame = { before: [0, top, left, 0], after: [0, bottom, right, 0], mode: 'constant' };
  const image = op.pads.some((p) => p > 0) ? c.writer.node('pad', [ref, zero()], frame) : ref;
  const [kh, kw] = op.kernel;
  const [dy, dx] = op.dilations;
  const step = [1, ...op.strides, 1];
  const size = [n, oh, ow, channels];
  const parts = Array.from({ length: kh * kw }, (_, t) =>
    c.writer.node('slice', [image], { start: [0, Math.floor(t / kw) * dy, (t % kw) * dx, 0], step, size }),
  );
  return c.writer.node('concat', parts, { axis: 3 });
}

/** A layer that `takesInt4`; undefined where its rows do not fit an int32 accumulator. */
export function emitInt4(c: EmitContext, op: Conv2d | Dense, spec: LayerSpec, type: QType): Quantized | undefined {
  const own = quantizeInt4(spec);
  if (!own) return undefined;
  const [o, k] = [op.bias.length, op.weight.length / op.bias.length];
  const x = op.kind === 'conv2d' && !pointwise(op) ? taps(c, op, c.input()) : c.input().ref;
  const weights = c.writer.constant('i4', [o, k], packInt4(own.w));
  const bias = c.writer.constant('i32', [o], own.b);
  const u = Int8Array.from(own.u, (v) => v - 128);
  const scales = c.writer.constant('i8', [o, u.length / o], u, -128);
  const stage = { m: compactMultipliers(own.m), l: own.l, ...output(type) };
  return { ref: c.writer.node('dense', [x, weights, bias, scales], { block: INT4_BLOCK, stage }), type };
}
