/**
 * Evaluates ONNX nodes and whole models on arrays, in ONNX's own layouts: constants are folded by it, and it is the float
 * road of the conformance tests. Integers are exact, floats f64 rounded to their type after every node.
 * @module
 */
import { ImportError } from './errors.ts';
import { EVALUATORS } from './eval/all.ts';
import { EvalContext } from './eval/context.ts';
import type { OnnxModel, OnnxNode } from './parse.ts';
import type { OnnxArray } from './tensor.ts';

/** True where `evaluateNode` knows the op. */
export function canEvaluate(node: OnnxNode): boolean {
  return node.domain === '' && EVALUATORS.has(node.op);
}

/** Outputs of one node for its inputs, '' inputs undefined. Throws `ImportError` with node and op. */
export function evaluateNode(
  node: OnnxNode,
  opset: number,
  inputs: readonly (OnnxArray | undefined)[],
): readonly OnnxArray[] {
  const place = { node: node.name, op: node.op };
  const op = canEvaluate(node) ? EVALUATORS.get(node.op)! : undefined;
  if (!op)
    throw new ImportError(
      'UnsupportedOp',
      `the op ${node.domain ? `${node.domain}:` : ''}${node.op} is not supported`,
      place,
    );
  try {
    const out = op(new EvalContext(node, opset, inputs));
    return Array.isArray(out) ? (out as readonly OnnxArray[]) : [out as OnnxArray];
  } catch (error) {
    if (error instanceof ImportError && error.details.node === undefined)
      throw new ImportError(error.code as 'BadTensor', error.message, place);
    throw error;
  }
}

/**
 * Outputs of `model` by name for its inputs by name. Throws `ImportError` for an op or form that is not supported and for
 * a missing input.
 */
export function evaluateModel(
  model: OnnxModel,
  inputs: ReadonlyMap<string, OnnxArray>,
): ReadonlyMap<string, OnnxArray> {
  const values = new Map<string, OnnxArray>(model.initializers);
  for (const input of model.inputs) {
    const given = inputs.get(input.name);
    if (given) values.set(input.name, given);
    else if (!values.has(input.name)) throw new ImportError('BadGraph', `input "${input.name}" has no value`);
  }
  for (const node of model.nodes) {
    const operands = node.inputs.map((name) => {
      if (name === '') return undefined;
      const v = values.get(name);
      if (!v)
        throw new ImportError('BadGraph', `input "${name}" is defined by no earlier node`, {
          node: node.name,
          op: node.op,
        });
      return v;
    });
    const out = evaluateNode(node, model.opset, operands);
    node.outputs.forEach((name, i) => {
      if (name !== '' && out[i]) values.set(name, out[i]!);
    });
  }
  return new Map(
    model.outputs.map((o) => {
      const v = values.get(o.name);
      if (!v) throw new ImportError('BadGraph', `output "${o.name}" is computed by no node`);
      return [o.name, v];
    }),
  );
}
