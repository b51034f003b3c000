/**
 * Weights that a model stores as integers, after their DequantizeLinear: which scale each value is a multiple of.
 * @module
 */
import type { OnnxNode } from './parse.ts';
import type { OnnxArray, Steps } from './tensor.ts';

/** Ops that keep values and, where all values have one scale, any arrangement of them. */
const KEEPS: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Cast',
  'Flatten',
]);

/** Quantizers of the research formats, whose second input is the scale. */
const QUANT: ReadonlySet<string> = new Set(['Quant', 'IntQuant', 'BipolarQuant']);

/** Scales with at most one axis longer than 1. */
function along({ shape, data }: OnnxArray, axis: number): Steps | undefined {
  if (data.length === 1) return { scales: data, axis: 0 };
  const long = shape.flatMap((d, i) => (d > 1 ? [i] : []));
  return long.length === 1 ? { scales: data, axis: shape.length === 1 ? axis : long[0]! } : undefined;
}

/** The scales of the first output of a node with these constant inputs; undefined where its values have none. */
export function stepsOf(node: OnnxNode, inputs: readonly (OnnxArray | undefined)[]): Steps | undefined {
  const [x, scale] = inputs;
  if (!x) return undefined;
  if (scale && (node.op === 'DequantizeLinear' || QUANT.has(node.op))) {
    const given = node.attributes.get('axis');
    const axis = given?.type === 'int' ? given.value : 1;
    return along(scale, axis < 0 ? axis + x.shape.length : axis);
  }
  if (!x.steps || !KEEPS.has(node.op)) return undefined;
  if (x.steps.scales.length === 1 || node.op === 'Identity' || node.op === 'Cast') return x.steps;
  const perm = node.attributes.get('perm');
  if (node.op !== 'Transpose') return undefined;
  const order = perm?.type === 'ints' ? perm.value : x.shape.map((_, i) => i).reverse();
  return { scales: x.steps.scales, axis: order.indexOf(x.steps.axis) };
}

/** The scale of each of `rows` slices along `axis`, times `factor`; undefined where the values have none. */
export function rowSteps(x: OnnxArray, axis: number, rows: number, factor = 1): { steps?: Float64Array } {
  if (!x.steps) return {};
  const { scales } = x.steps;
  const size = Math.abs(factor);
  if (scales.length === 1) return { steps: new Float64Array(rows).fill(scales[0]! * size) };
  return x.steps.axis === axis && scales.length === rows ? { steps: scales.map((s) => s * size) } : {};
}
