/**
 * Inputs that always hold one value, as a sampling rate that a model is told: they become constants, and what depends on
 * them folds.
 * @module
 */
import { sizeOf } from './array.ts';
import { bindShape } from './dims.ts';
import { ImportError } from './errors.ts';
import type { OnnxModel } from './parse.ts';
import type { OnnxTensor } from './tensor.ts';

/** The model with each named input as a constant whose elements all have the value; symbolic axes of it are 1. Throws `ImportError`. */
export function fixInputs(model: OnnxModel, values: Readonly<Record<string, number>>): OnnxModel {
  const initializers = new Map<string, OnnxTensor>(model.initializers);
  for (const [name, value] of Object.entries(values)) {
    const input = model.inputs.find((i) => i.name === name);
    if (!input) {
      const known = model.inputs.map((i) => i.name).join(', ');
      throw new ImportError('BadOption', `the model has no input "${name}": its inputs are ${known}`);
    }
    if (input.dtype === null) throw new ImportError('BadOption', `input "${name}" takes no numbers`);
    const ones = Object.fromEntries((input.shape ?? []).map((_, axis) => [`${name}[${axis}]`, 1]));
    const shape = bindShape(input, ones);
    const data = new Float64Array(sizeOf(shape)).fill(value);
    initializers.set(name, { name, dtype: input.dtype, shape, data });
  }
  return { ...model, initializers, inputs: model.inputs.filter((i) => !Object.hasOwn(values, i.name)) };
}
