/**
 * The kernel of every op: a plan-time function that packs constants and adds dispatches, and says what it chose. The table
 * is typed over all op names, so that a new op does not compile before it has an entry.
 * @module
 */
import type { BoundAttrs } from '../../ops/define.ts';
import type { AttrsOf, OpName } from '../../ops/index.ts';
import type { PlanNode } from '../../runtime/plan.ts';
import type { Arg, Builder } from './builder.ts';
import { cumsum } from './cumsum.ts';
import { lut8, lut16, rescale, reshape } from './elementwise.ts';
import { gru } from './gru.ts';
import { conv2d, dense, matmul } from './linear.ts';
import { lstm } from './lstm.ts';
import { concat, depth_to_space, expand, gather, pad, slice, space_to_depth, tile, transpose, update } from './move.ts';
import { nms } from './nms.ts';
import { NORMS } from './norms.ts';
import { sample, topk } from './order.ts';
import { compare, div, linear2, logical, max, min, mul, where } from './pairs.ts';
import { avg_pool2d, max_pool2d } from './pool.ts';
import { argmax, argmin, reduce_max, reduce_mean, reduce_min, reduce_sum } from './reduce.ts';
import { resize_bilinear, resize_nearest } from './resize.ts';
import { rope } from './rope.ts';
import { log_softmax, softmax } from './rows.ts';
import { conv_transpose2d } from './transposed.ts';

/** A node as its kernel sees it: attributes, facts, and operands by position (undefined where absent). */
export interface Site<N extends OpName> {
  readonly attrs: BoundAttrs<AttrsOf<N>>;
  readonly facts: PlanNode['facts'];
  readonly in: readonly (Arg | undefined)[];
  readonly out: readonly Arg[];
}

/** The plan-time function of an op; returns the name of its kernel. */
type OpKernel<N extends OpName> = (site: Site<N>, builder: Builder) => string;

/** A kernel for every op. */
export type OpKernels = { readonly [N in OpName]: OpKernel<N> };

/** Kernels in WGSL. */
export const KERNELS: OpKernels = {
  ...NORMS,
  argmax,
  argmin,
  avg_pool2d,
  compare,
  concat,
  conv2d,
  conv_transpose2d,
  cumsum,
  dense,
  depth_to_space,
  div,
  expand,
  gather,
  gru,
  linear2,
  log_softmax,
  logical,
  lstm,
  lut8,
  lut16,
  matmul,
  max,
  max_pool2d,
  min,
  mul,
  nms,
  pad,
  reduce_max,
  reduce_mean,
  reduce_min,
  reduce_sum,
  rescale,
  reshape,
  resize_bilinear,
  resize_nearest,
  rope,
  sample,
  slice,
  softmax,
  space_to_depth,
  tile,
  topk,
  transpose,
  update,
  where,
};

/** Adds the dispatches of a node; returns the name of its kernel. One whose outputs are all empty has none. */
export function prepareNode(node: PlanNode, b: Builder, kernels: OpKernels = KERNELS): string {
  const site = {
    attrs: node.attrs,
    facts: node.facts,
    in: node.inputs.map((id) => (id < 0 ? undefined : b.arg(id))),
    out: node.outputs.map((id) => b.arg(id)),
  };
  if (site.out.every((t) => t.count === 0)) return 'empty';
  const name = (kernels[node.op] as OpKernel<never>)(site as unknown as Site<never>, b);
  b.endNode();
  return name;
}
