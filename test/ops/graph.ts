/**
 * A node as a whole model: encoded, decoded, validated, planned, and run by any backend.
 * @module
 */
import type { Backend } from '../../src/backends/backend.ts';
import type { SymbolDecl } from '../../src/core/dim.ts';
import type { TypedArray } from '../../src/core/tensor.ts';
import { decodeModel } from '../../src/format/decode.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Constant, Graph, InputDecl, Model } from '../../src/graph/ir.ts';
import { validateGraph } from '../../src/graph/validate.ts';
import { bind, createPlan, type Plan } from '../../src/runtime/plan.ts';
import { attributes, type NodeCase, shapeIn, stored, type Tensor, typeOf, valuesOf } from './node.ts';

const OUTPUTS: Readonly<Record<string, number>> = { gru: 2, lstm: 3, nms: 2, topk: 2 };

/** The graph of one node: its variable operands are the inputs, equal constants are shared. */
export function graphOf(c: NodeCase): { readonly graph: Graph; readonly inputs: readonly TypedArray[] } {
  const variables = c.operands.flatMap((t) => (t !== undefined && t.const !== true ? [t] : []));
  const symbols: SymbolDecl[] = c.lastMax === undefined ? [] : [{ name: 'k', min: 1, max: c.lastMax }];
  const declare = (t: Tensor, i: number): InputDecl => {
    const { dtype, zp, lo, hi } = typeOf(t);
    return { name: `x${i}`, dtype, zp, lo, hi, shape: shapeIn(c, t) };
  };
  const constants: Constant[] = [];
  const ids = new Map<string, number>();
  const idOf = (t: Tensor | undefined): number => {
    if (t === undefined) return -1;
    if (t.const !== true) return variables.indexOf(t);
    const values = valuesOf(t);
    const key = `${t.dtype}/${t.zp ?? 0}/${t.shape}/${values}`;
    if (!ids.has(key)) {
      ids.set(key, variables.length + constants.length);
      constants.push({ dtype: t.dtype, shape: t.shape, zp: t.zp ?? 0, data: stored(t.dtype, values) });
    }
    return ids.get(key)!;
  };
  const inputs = c.operands.map(idOf);
  const first = variables.length + constants.length;
  const graph: Graph = {
    symbols,
    inputs: variables.map(declare),
    constants,
    nodes: [{ op: c.op, inputs, attrs: attributes(c.op, c.attrs) }],
    outputs: Array.from({ length: OUTPUTS[c.op] ?? 1 }, (_, i) => ({ name: `y${i}`, tensor: first + i })),
    states: [],
  };
  return { graph, inputs: variables.map((t) => (t.data === undefined ? new Int8Array() : stored(t.dtype, t.data))) };
}

/** The model of a node, through its bytes. */
export function modelOf(c: NodeCase): { readonly model: Model; readonly inputs: readonly TypedArray[] } {
  const { graph, inputs } = graphOf(c);
  const bytes = encodeModel(graph);
  const decoded = decodeModel(bytes);
  return { model: { ...decoded, ...validateGraph(decoded), id: new Uint8Array(32), byteLength: bytes.length }, inputs };
}

/** The plan of a node and the elements of its inputs. */
export function planOf(c: NodeCase): { readonly plan: Plan; readonly inputs: readonly TypedArray[] } {
  const { model, inputs } = modelOf(c);
  const dims = c.lastMax === undefined ? {} : { k: c.operands[0]!.shape.at(-1)! };
  return { plan: createPlan(bind(model, dims)), inputs };
}

/** Outputs of a node on a backend. */
export async function runOn(backend: Backend, c: NodeCase): Promise<readonly TypedArray[]> {
  const { plan, inputs } = planOf(c);
  const executable = await backend.prepare(plan, { mode: 'run' });
  try {
    return await executable.run(inputs, {});
  } finally {
    executable.dispose();
  }
}
