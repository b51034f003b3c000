/**
 * Which contract holds the rule of an op (contracts/rules).
 * @module
 */
import { OPS, type OpName } from '../ops/index.ts';

/** Name of a rule contract. */
export type RuleContract = 'Linear' | 'Elementwise' | 'Reduce' | 'Rows' | 'Move';

/** Name of the contract by op. An op that is not here cannot be disputed on a chain. */
export const RULES: Readonly<Partial<Record<OpName, RuleContract>>> = {
  conv2d: 'Linear',
  dense: 'Linear',
  matmul: 'Linear',
  linear2: 'Elementwise',
  mul: 'Elementwise',
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
  layer_norm: 'Rows',
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

/** Op codes by rule contract: what an `Arbiter` is made with. */
export function codesOf(contract: RuleContract): number[] {
  return Object.entries(RULES)
    .filter(([, c]) => c === contract)
    .map(([op]) => OPS[op as OpName].code);
}
