/**
 * What a graph holds, for people: its boxes and what flows between them, and the facts of every node.
 * @module
 */
import { type Dim, showDim } from '../../core/dim.ts';
import { SamebitError } from '../../core/errors.ts';
import type { Model } from '../../graph/ir.ts';
import type { Dims } from '../../onnx/dims.ts';
import { lower } from '../../onnx/lower.ts';
import type { OnnxModel, OnnxNode } from '../../onnx/parse.ts';
import { macsOf, nodeGas } from '../figures.ts';
import { grouped } from '../text.ts';
import type { Box } from './layout.ts';

/** A node of an integer model. Types are written like `i8 [1, 28, 28, 8]`, ranges like `-128 … 127`. */
export interface NodeFacts {
  readonly op: string;
  /** What it reads beside constants: inputs and nodes. */
  readonly reads: readonly string[];
  /** Its constants: tensor id and type. */
  readonly constants: readonly { readonly tensor: number; readonly type: string }[];
  readonly gives: readonly string[];
  /** Of each output, proved for every input. */
  readonly ranges: readonly string[];
  /** What was proved of the node, by name; `bound` is the greatest magnitude of its accumulator. */
  readonly facts: Readonly<Record<string, number>>;
  readonly gas: number;
  readonly macs: number;
  readonly attributes: readonly string[];
}

/** A graph: boxes in an order in which they stand behind what they read, and its nodes. A box of node i links to `n<i>`. */
export interface GraphFacts<N> {
  readonly boxes: readonly Box[];
  readonly nodes: readonly N[];
}

const MOVES = /^(reshape|transpose|concat|slice|pad|gather|expand|tile|depth|space|update|resize_nearest)/;
const PRODUCTS = /^(conv|dense|matmul|lstm|gru)/;

/** The facts of an integer model. */
export function modelFacts(model: Model): GraphFacts<NodeFacts> {
  const show = (d: Dim): string => showDim(d, model.symbols);
  const typeOf = (id: number): string => {
    const { dtype, shape } = model.tensors[id]!;
    return `${dtype} [${shape.map(show).join(', ')}]`;
  };
  const rangeOf = (id: number): string => `${show(model.tensors[id]!.lo)} … ${show(model.tensors[id]!.hi)}`;
  const first = model.inputs.length;
  const behind = first + model.constants.length;
  const maker = new Map<number, number>(model.inputs.map((_, i) => [i, i]));
  const boxes: Box[] = model.inputs.map((d, i) => ({
    lines: [d.name, typeOf(i)],
    from: [],
    colour: 'green',
    hover: `input ${d.name}\n${typeOf(i)}\n${rangeOf(i)}`,
  }));
  const nodes = model.nodes.map((n, i): NodeFacts => {
    const { outputs, facts, cost } = model.info[i]!;
    for (const id of outputs) maker.set(id, boxes.length);
    const operands = n.inputs.filter((id) => id >= 0);
    const constants = operands.filter((id) => id >= first && id < behind);
    const gas = Number(nodeGas(model, cost));
    boxes.push({
      lines: [`${i} ${n.op}`, outputs.map(typeOf).join('; ')],
      from: [...new Set(operands.flatMap((id) => maker.get(id) ?? []))],
      colour: PRODUCTS.test(n.op) ? 'blue' : MOVES.test(n.op) ? 'soft' : 'orange',
      link: `n${i}`,
      hover: `${n.op}\n${outputs.map((id) => `${typeOf(id)} in ${rangeOf(id)}`).join('\n')}\n${grouped(gas)} gas`,
    });
    return {
      op: n.op,
      reads: operands
        .filter((id) => !constants.includes(id))
        .map((id) => (id < first ? `input ${id}` : `node ${(maker.get(id) ?? first) - first}`)),
      constants: constants.map((tensor) => ({ tensor, type: typeOf(tensor) })),
      gives: outputs.map(typeOf),
      ranges: outputs.map(rangeOf),
      facts,
      gas,
      macs: macsOf(model, cost),
      attributes: Object.entries(n.attrs).map(([k, v]) => `${k} ${attribute(v, show)}`),
    };
  });
  for (const o of model.outputs) {
    const from = maker.get(o.tensor);
    boxes.push({
      lines: [o.name, typeOf(o.tensor)],
      from: from === undefined ? [] : [from],
      colour: 'green',
      hover: `output ${o.name}`,
    });
  }
  return { boxes, nodes };
}

/** An attribute in few words. */
function attribute(v: unknown, show: (d: Dim) => string): string {
  if (typeof v !== 'object' || v === null) return String(v);
  if (ArrayBuffer.isView(v)) {
    const list = [...(v as unknown as Iterable<number>)];
    return list.length > 4 ? `${list.length} values` : `[${list.join(', ')}]`;
  }
  if (Array.isArray(v)) return `[${v.map((d) => (typeof d === 'object' ? show(d as Dim) : String(d))).join(', ')}]`;
  if ('k' in v && 'c' in v) return show(v as Dim);
  return `{${Object.entries(v)
    .map(([k, x]) => `${k} ${attribute(x, show)}`)
    .join(', ')}}`;
}

/** A node of an ONNX file. */
export interface OnnxFacts {
  readonly op: string;
  readonly name: string;
  readonly weights: readonly string[];
  /** Shapes of its outputs as far as they are known, else their names. */
  readonly gives: readonly string[];
  readonly attributes: string;
}

/** Shapes of the values of an ONNX graph as far as it can be lowered, and the error that says why not. */
function shapesOf(
  model: OnnxModel,
  dims: Dims,
): { readonly shapes: ReadonlyMap<string, readonly number[]>; readonly refusal?: SamebitError } {
  try {
    const { tensors } = lower(model, { dims });
    return { shapes: new Map(tensors.map((t) => [t.name, t.shape])) };
  } catch (error) {
    if (!(error instanceof SamebitError)) throw error;
    return { shapes: new Map(), refusal: error };
  }
}

function onnxAttribute(node: OnnxNode): string {
  return [...node.attributes]
    .map(([k, a]) => `${k} ${'value' in a && a.type !== 'tensor' ? attribute(a.value, String) : a.type}`)
    .join(', ');
}

/** The facts of an ONNX file; `refusal` says why it cannot be converted, and then shapes are unknown. */
export function onnxFacts(
  model: OnnxModel,
  dims: Dims,
): GraphFacts<OnnxFacts> & { readonly refusal?: SamebitError | undefined } {
  const { shapes, refusal } = shapesOf(model, dims);
  const maker = new Map<string, number>();
  const known = (name: string): string => {
    const s = shapes.get(name);
    return s ? `[${s.join(', ')}]` : '';
  };
  const boxes: Box[] = model.inputs.map((i, at): Box => {
    maker.set(i.name, at);
    return {
      lines: [i.name, `${i.dtype ?? 'other'} [${i.shape?.join(', ') ?? 'rank unknown'}]`],
      from: [],
      colour: 'green',
    };
  });
  const nodes = model.nodes.map((n, i): OnnxFacts => {
    const weights = n.inputs.filter((name) => model.initializers.has(name));
    boxes.push({
      lines: [n.op, known(n.outputs[0] ?? '') || n.name],
      from: [...new Set(n.inputs.flatMap((name) => maker.get(name) ?? []))],
      colour: weights.length > 0 ? 'blue' : 'orange',
      link: `n${i}`,
      hover: `${n.name}\n${n.op}`,
    });
    for (const o of n.outputs) if (o !== '') maker.set(o, boxes.length - 1);
    return {
      op: n.domain === '' ? n.op : `${n.domain}:${n.op}`,
      name: n.name,
      weights: weights.map((w) => {
        const { dtype, shape } = model.initializers.get(w)!;
        return `${dtype} [${shape.join(', ')}]`;
      }),
      gives: n.outputs.map((o) => known(o) || o),
      attributes: onnxAttribute(n),
    };
  });
  for (const o of model.outputs) {
    const from = maker.get(o.name);
    boxes.push({ lines: [o.name, known(o.name)], from: from === undefined ? [] : [from], colour: 'green' });
  }
  return { boxes, nodes, refusal };
}
