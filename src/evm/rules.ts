/**
 * Which contract holds the rule of an op (contracts/rules).
 * @module
 */
import type { Commitment } from '../consensus/commitment.ts';
import { OPS, type OpName } from '../ops/index.ts';
import { Elementwise, Linear, Move, Norms, Reduce, Rows } from './artifacts.gen.ts';

/** Name of a rule contract. */
export type RuleContract = 'Linear' | 'Elementwise' | 'Reduce' | 'Rows' | 'Norms' | 'Move';

/** Name of the contract by op. An op that is not here cannot be disputed on a chain. */
export const RULES: Readonly<Partial<Record<OpName, RuleContract>>> = {
  conv2d: 'Linear',
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
  max_pool2d: 'Reduce',
  avg_pool2d: 'Reduce',
  reduce_sum: 'Reduce',
  reduce_mean: 'Reduce',
  reduce_max: 'Reduce',
  reduce_min: 'Reduce',
  argmax: 'Reduce',
  argmin: 'Reduce',
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
};

/** A compiled contract. */
export interface Artifact {
  readonly abi: readonly unknown[];
  readonly bytecode: string;
}

/** The rule contracts. */
export const RULE_ARTIFACTS: Readonly<Record<RuleContract, Artifact>> = {
  Elementwise,
  Linear,
  Move,
  Norms,
  Reduce,
  Rows,
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
  const { op, attrs } = c.model.nodes[c.trace[tensor]!.node]!;
  switch (RULES[op]) {
    case 'Linear':
      return op === 'matmul' && attrs['tb'] !== true ? 16 : 128;
    case 'Reduce':
      return op.startsWith('reduce') ? 16 : 32;
    default:
      return 128;
  }
}
