/**
 * The kernel of every op: a plan-time function that packs constants, lays out records and returns the calls. The table is
 * typed over all op names, so that a new op does not compile before it has an entry.
 * @module
 */
import type { BoundAttrs } from '../../ops/define.ts';
import type { AttrsOf, OpName } from '../../ops/index.ts';
import type { PlanNode, PlanTensor } from '../../runtime/plan.ts';
import type { Arg, Builder } from './builder.ts';
import type { Prepared } from './call.ts';
import { linear2, lut8, rescale } from './elementwise.ts';
import { conv2d, dense } from './linear.ts';
import { concat, reshape, slice, transpose } from './move.ts';
import { max_pool2d } from './pool.ts';

/** A node as its kernel sees it: attributes, facts, and operands by position (undefined where absent). */
export interface Site<N extends OpName> {
  readonly attrs: BoundAttrs<AttrsOf<N>>;
  readonly facts: PlanNode['facts'];
  readonly in: readonly (Arg | undefined)[];
  readonly out: readonly Arg[];
}

/** The plan-time function of an op. */
export type WasmKernel<N extends OpName> = (site: Site<N>, builder: Builder) => Prepared;

/** Ops whose kernels are always there: those of convolutional networks and perceptrons. */
type CoreOp =
  | 'concat'
  | 'conv2d'
  | 'dense'
  | 'linear2'
  | 'lut8'
  | 'max_pool2d'
  | 'rescale'
  | 'reshape'
  | 'slice'
  | 'transpose';

const CORE: { readonly [N in CoreOp]: WasmKernel<N> } = {
  concat,
  conv2d,
  dense,
  linear2,
  lut8,
  max_pool2d,
  rescale,
  reshape,
  slice,
  transpose,
};

/** Least K from which one level of Strassen’s algorithm gains. */
export const STRASSEN_K = 384;

/** A faster kernel for some nodes of an op. */
export type Faster<N extends OpName> = (site: Site<N>, builder: Builder) => Prepared | undefined;

/** Kernels of the module more/: of further ops, and faster ones for some nodes of the others. */
export interface More {
  readonly kernels: { readonly [N in Exclude<OpName, CoreOp>]: WasmKernel<N> };
  readonly faster: { readonly [N in CoreOp]?: Faster<N> };
}

/**
 * Whether the module more/ is worth having for the node: it has a kernel for its op, or a faster one if the node is large. What does not
 * fit that after all is left to the kernels here.
 */
export function wantsMore(node: PlanNode, tensors: readonly PlanTensor[]): boolean {
  if (!(node.op in CORE)) return true;
  if (node.op !== 'conv2d' && node.op !== 'dense') return false;
  const { shape } = tensors[node.inputs[1]!]!;
  return shape.length === 4 && shape[1] === 3
    ? tensors[node.inputs[0]!]!.shape[3]! >= 16
    : shape[shape.length - 1]! >= STRASSEN_K;
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
  const faster = more?.faster[node.op as CoreOp] as Faster<never> | undefined;
  const special = faster?.(site as unknown as Site<never>, b);
  if (special !== undefined) return special;
  const kernels = { ...CORE, ...more?.kernels } as { readonly [N in OpName]: WasmKernel<N> };
  return (kernels[node.op] as WasmKernel<never>)(site as unknown as Site<never>, b);
}
