/**
 * The kernel of every op: a plan-time function that packs constants, lays out records and returns the calls. The table is
 * typed over all op names, so that a new op does not compile before it has an entry.
 * @module
 */
import type { BoundAttrs } from '../../ops/define.ts';
import type { AttrsOf, OpName } from '../../ops/index.ts';
import type { PlanNode } from '../../runtime/plan.ts';
import type { Arg, Builder } from './builder.ts';
import type { Prepared } from './call.ts';
import { linear2, lut8, lut16, rescale } from './elementwise.ts';
import { conv2d, dense, matmul } from './linear.ts';
import { concat, pad, reshape, slice, transpose } from './move.ts';
import { avg_pool2d, max_pool2d } from './pool.ts';
import { argmax, softmax } from './rows.ts';

/** A node as its kernel sees it: attributes, facts, and operands by position (undefined where absent). */
export interface Site<N extends OpName> {
  readonly attrs: BoundAttrs<AttrsOf<N>>;
  readonly facts: PlanNode['facts'];
  readonly in: readonly (Arg | undefined)[];
  readonly out: readonly Arg[];
}

/** The plan-time function of an op. */
export type WasmKernel<N extends OpName> = (site: Site<N>, builder: Builder) => Prepared;

/** Ops whose kernels are always there: those of convolutional networks, perceptrons and attention. */
type CoreOp =
  | 'argmax'
  | 'avg_pool2d'
  | 'concat'
  | 'conv2d'
  | 'dense'
  | 'linear2'
  | 'lut8'
  | 'lut16'
  | 'matmul'
  | 'max_pool2d'
  | 'pad'
  | 'rescale'
  | 'reshape'
  | 'slice'
  | 'softmax'
  | 'transpose';

const CORE: { readonly [N in CoreOp]: WasmKernel<N> } = {
  argmax,
  avg_pool2d,
  concat,
  conv2d,
  dense,
  linear2,
  lut8,
  lut16,
  matmul,
  max_pool2d,
  pad,
  rescale,
  reshape,
  slice,
  softmax,
  transpose,
};

/** Kernels of the module more/: of further ops, and faster ones for some nodes of the others. */
export interface More {
  readonly kernels: { readonly [N in Exclude<OpName, CoreOp>]: WasmKernel<N> };
  conv2d(site: Site<'conv2d'>, builder: Builder): Prepared | undefined;
}

/** Whether the module more/ has a kernel for the node: of its op, or of a 3×3 convolution of 16 channels or more. */
export function wantsMore(node: PlanNode, tensors: readonly { readonly shape: readonly number[] }[]): boolean {
  if (node.op !== 'conv2d') return !(node.op in CORE);
  const [, kh, kw] = tensors[node.inputs[1]!]!.shape;
  return kh === 3 && kw === 3 && tensors[node.inputs[0]!]!.shape[3]! >= 16;
}

/** Prepares a node. One whose outputs are all empty has nothing to run. */
export function prepareNode(node: PlanNode, b: Builder, more?: More): Prepared {
  const site = {
    attrs: node.attrs,
    facts: node.facts,
    in: node.inputs.map((id) => (id < 0 ? undefined : b.arg(id))),
    out: node.outputs.map((id) => b.arg(id)),
  };
  if (site.out.every((t) => t.count === 0)) return { kernel: 'empty', calls: [] };
  const special = node.op === 'conv2d' ? more?.conv2d(site as unknown as Site<'conv2d'>, b) : undefined;
  if (special !== undefined) return special;
  const kernels = { ...CORE, ...more?.kernels } as { readonly [N in OpName]: WasmKernel<N> };
  return (kernels[node.op] as WasmKernel<never>)(site as unknown as Site<never>, b);
}
