/**
 * Kernels that not every model takes: a module of its own (kernels/wasm/more.ts), loaded for the models that do.
 * @module
 */
import type { More } from '../kernels.ts';
import { compileText, trust } from '../module.ts';
import { cumsum } from './cumsum.ts';
import { gru } from './gru.ts';
import { LENGTH, LIMITS, TEXT } from './kernels.gen.ts';
import { lstm } from './lstm.ts';
import { lut16 } from './lut16.ts';
import { matmul } from './matmul.ts';
import { depth_to_space, expand, gather, pad, space_to_depth, tile, update } from './move.ts';
import { group_norm, layer_norm, rms_norm } from './norms.ts';
import { nms, sample, topk } from './order.ts';
import { compare, div, logical, max, min, mul, where } from './pairs.ts';
import { avg_pool2d } from './pool.ts';
import { reduce_max, reduce_mean, reduce_min, reduce_sum } from './reduce.ts';
import { resize_bilinear, resize_nearest } from './resize.ts';
import { rope } from './rope.ts';
import { argmax, argmin, log_softmax, softmax8 } from './rows.ts';
import { selfTestMore } from './selftest.ts';
import { softmax } from './softmax.ts';
import { strassen, strassenFits } from './strassen.ts';
import { streams, streamsFit } from './streams.ts';
import { strips, stripsFit } from './strips.ts';
import { conv_transpose2d } from './transposed.ts';
import { winograd, winogradFits } from './winograd.ts';

const compiled: Promise<WebAssembly.Module>[] = [];

/** The module, compiled and probed on first use; `shared` as in `loadModule`. @throws HostError `SelfTest` */
export function loadMore(shared: boolean): Promise<WebAssembly.Module> {
  return (compiled[+shared] ??= compile(shared));
}

/** As `adopt` of the other module. @throws HostError `SelfTest` */
export function adoptMore(module: WebAssembly.Module): void {
  trust(module, selfTestMore, false);
  compiled[0] = Promise.resolve(module);
}

async function compile(shared: boolean): Promise<WebAssembly.Module> {
  const module = await compileText(TEXT, LENGTH, LIMITS, shared);
  trust(module, selfTestMore, shared);
  return module;
}

/** Bytes of its code. */
export const MORE_BYTES: number = LENGTH;

/** What it computes. */
export const MORE: More = {
  kernels: {
    argmax,
    argmin,
    avg_pool2d,
    compare,
    conv_transpose2d,
    cumsum,
    depth_to_space,
    div,
    expand,
    gather,
    group_norm,
    gru,
    layer_norm,
    log_softmax,
    logical,
    lstm,
    lut16,
    matmul,
    max,
    min,
    mul,
    nms,
    pad,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_sum,
    resize_bilinear,
    resize_nearest,
    rms_norm,
    rope,
    sample,
    softmax: (s, b) => softmax8(s, b) ?? softmax(s, b),
    space_to_depth,
    tile,
    topk,
    update,
    where,
  },
  faster: {
    conv2d: (s, b) =>
      winogradFits(s) ? winograd(s, b) : stripsFit(s) ? strips(s, b) : strassenFits(s) ? strassen(s, b) : undefined,
    dense: (s, b) => (strassenFits(s) ? strassen(s, b) : streamsFit(s) ? streams(s, b) : undefined),
  },
};
