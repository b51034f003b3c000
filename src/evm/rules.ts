/**
 * Which contract holds the rule of an op (contracts/rules).
 * @module
 */
import type { Commitment } from '../consensus/commitment.ts';
import { OPS, type OpName } from '../ops/index.ts';
import { Cells, Elementwise, Linear, Move, Norms, Reduce, Rows, Sample, Search } from './artifacts.gen.ts';

/** Name of a rule contract. */
export type RuleContract =
  | 'Linear'
  | 'Elementwise'
  | 'Reduce'
  | 'Rows'
  | 'Norms'
  | 'Move'
  | 'Search'
  | 'Cells'
  | 'Sample';

/** Name of the contract by op: one that is missing is a type error. */
export const RULES: Readonly<Record<OpName, RuleContract>> = {
  conv2d: 'Linear',
  conv_transpose2d: 'Linear',
  dense: 'Linear',
  matmul: 'Linear',
  linear2: 'Elementwise',
  mul: 'Elementwise',
  div: 'Elementwise',
  min: 'Elementwise',
  max: 'Elementwise',
  rescale: 'Elementwise',
  lut8: 'Elementwise',
  lut16: 'Elementwise',
  compare: 'Elementwise',
  logical: 'Elementwise',
  where: 'Elementwise',
  rope: 'Elementwise',
  max_pool2d: 'Reduce',
  avg_pool2d: 'Reduce',
  reduce_sum: 'Reduce',
  reduce_mean: 'Reduce',
  reduce_max: 'Reduce',
  reduce_min: 'Reduce',
  cumsum: 'Reduce',
  resize_bilinear: 'Reduce',
  softmax: 'Rows',
  log_softmax: 'Rows',
  layer_norm: 'Norms',
  rms_norm: 'Norms',
  group_norm: 'Norms',
  reshape: 'Move',
  transpose: 'Move',
  concat: 'Move',
  slice: 'Move',
  pad: 'Move',
  gather: 'Move',
  expand: 'Move',
  tile: 'Move',
  depth_to_space: 'Move',
  space_to_depth: 'Move',
  resize_nearest: 'Move',
  update: 'Move',
  topk: 'Search',
  argmax: 'Search',
  argmin: 'Search',
  nms: 'Search',
  lstm: 'Cells',
  gru: 'Cells',
  sample: 'Sample',
};

/** A compiled contract. */
export interface Artifact {
  readonly abi: readonly unknown[];
  readonly bytecode: string;
}

/** The rule contracts. */
export const RULE_ARTIFACTS: Readonly<Record<RuleContract, Artifact>> = {
  Cells,
  Elementwise,
  Linear,
  Move,
  Norms,
  Reduce,
  Rows,
  Sample,
  Search,
};

/**
 * Op codes by rule contract: what an `Arbiter` is made with.
 * @throws TypeError for the name of no rule contract
 */
export function codesOf(contract: RuleContract): number[] {
  if (!Object.hasOwn(RULE_ARTIFACTS, contract)) throw new TypeError(`there is no rule contract ${contract}`);
  return Object.entries(RULES)
    .filter(([, c]) => c === contract)
    .map(([op]) => OPS[op as OpName].code);
}

/** Most terms that one proof carries: those of a run of neighbours cost little, terms of a chunk each much. */
export function tileOf(c: Commitment, tensor: number): number {
  const { node, name } = c.trace[tensor]!;
  const { op, attrs, inputs } = c.model.nodes[node]!;
  const { shape } = c.model.tensors[inputs[0]!]!;
  switch (RULES[op]) {
    case 'Linear':
      return op === 'matmul' && attrs['tb'] !== true ? 16 : 128;
    case 'Reduce':
      return op.endsWith('pool2d') ? 32 : 16;
    case 'Search':
      return op === 'nms' ? 1 : attrs['axis'] === shape.length - 1 ? 128 : 16;
    case 'Sample':
      return (attrs['k'] as number) > 0 && ['sum', 'n', 'cut_sum'].includes(name) ? 16 : 64;
    default:
      return 128;
  }
}
