/**
 * Evaluates ONNX nodes and whole models on arrays, in ONNX's own layouts: constants are folded by it, and it is the float
 * road of the conformance tests. Integers are exact, floats f64 rounded to their type after every node.
 * @module
 */
import { ImportError } from './errors.ts';
import { EVALUATORS } from './eval/all.ts';
import { EvalContext } from './eval/context.ts';
import { EXPANSIONS } from './expand/all.ts';
import { EXPANDED_OPSET, type Expand, Expansion } from './expand/context.ts';
import type { OnnxModel, OnnxNode } from './parse.ts';
import type { OnnxArray } from './tensor.ts';

/** Name of a node's op, behind its domain where that is another than ONNX's own. */
export function opOf(node: OnnxNode): string {
  return node.domain ? `${node.domain}:${node.op}` : node.op;
}

/** True where `evaluateNode` knows the op. */
export function canEvaluate(node: OnnxNode): boolean {
  return EVALUATORS.has(opOf(node)) || EXPANSIONS.has(opOf(node));
}

/** The outputs of the nodes that a node stands for. */
function evaluateExpansion(
  node: OnnxNode,
  opset: number,
  inputs: readonly (OnnxArray | undefined)[],
  expand: Expand,
): OnnxArray[] {
  const e = new Expansion(node, opset, {
    shape: (i) => inputs[i]!.shape,
    dtype: (i) => inputs[i]!.dtype,
    constant: (i) => inputs[i],
  });
  expand(e);
  const values = new Map(e.constants);
  node.inputs.forEach((name, i) => {
    if (inputs[i]) values.set(name, inputs[i]);
  });
  for (const inner of e.nodes) {
    const own = inner.inputs.map((name) => values.get(name));
    evaluateNode(inner, EXPANDED_OPSET, own).forEach((y, i) => {
      if (inner.outputs[i]) values.set(inner.outputs[i], y);
    });
  }
  return node.outputs.map((name) => values.get(name)!);
}

/** Outputs of one node for its inputs, '' inputs undefined. Throws `ImportError` with node and op. */
export function evaluateNode(
  node: OnnxNode,
  opset: number,
  inputs: readonly (OnnxArray | undefined)[],
): readonly OnnxArray[] {
  const place = { node: node.name, op: node.op };
  const op = EVALUATORS.get(opOf(node));
  const expand = EXPANSIONS.get(opOf(node));
  if (!op && !expand) throw new ImportError('UnsupportedOp', `the op ${opOf(node)} is not supported`, place);
  try {
    if (!op) return evaluateExpansion(node, opset, inputs, expand!);
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
