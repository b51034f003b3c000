/**
 * Data movement whose places are constants: the op runs once on the numbers of the elements, and what comes out says which
 * element, or zero, stands where. One gather replaces it.
 * @module
 */
import { sizeOf } from '../../quant/float-graph.ts';
import { evaluateNode } from '../evaluate.ts';
import type { OnnxArray } from '../tensor.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** Most elements that are moved one by one. */
const MOST = 2 ** 20;

/** An array of consecutive numbers. */
function numbered(shape: readonly number[], from: number): OnnxArray {
  return { dtype: 'float64', shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => from + i) };
}

/** An op whose inputs `data` are moved and whose others are constants; zeros may come in. */
function picks(data: readonly number[]): OpLowering {
  return (c: LowerContext) => {
    if (c.string('reduction', 'none') !== 'none')
      c.fail('UnsupportedForm', 'a reduction over indices is not supported');
    let next = 1;
    const inputs = c.node.inputs.map((_, i) => {
      if (!c.given(i)) return undefined;
      if (!data.includes(i)) return c.weights(i, `input ${i}`);
      const own = numbered(c.shape(i), next);
      next += own.data.length;
      return own;
    });
    if (next > MOST) c.fail('TooLarge', `more than ${MOST} elements would be moved one by one`);
    const [out] = evaluateNode(c.node, c.opset, inputs) as [OnnxArray];
    const zero = out.data.includes(0);
    const flat = data.map((i) => c.graph.reshape(c.node, c.plain(i), [sizeOf(c.shape(i))]));
    const dtype = { real: 'float32', int: 'int64', bool: 'bool' } as const;
    const first: OnnxArray = { dtype: dtype[c.domain(data[0]!)], shape: [1], data: Float64Array.of(0) };
    const all = zero ? [c.graph.constant(c.node, first), ...flat] : flat;
    const size = next - 1 + (zero ? 1 : 0);
    const source = all.length === 1 ? all[0]! : c.emit({ kind: 'concat', axis: 0 }, all, [size]);
    const index = out.data.map((v) => v - (zero ? 0 : 1));
    const at = c.graph.constant(c.node, { dtype: 'int64', shape: out.shape, data: index });
    c.setPlain(c.emit({ kind: 'gather', axis: 0 }, [source, at], out.shape));
  };
}

/** Ops that move elements to constant places. */
export const PICK: Readonly<Record<string, OpLowering>> = {
  CenterCropPad: picks([0]),
  Compress: picks([0]),
  GatherElements: picks([0]),
  GatherND: picks([0]),
  ReverseSequence: picks([0]),
  Scatter: picks([0, 2]),
  ScatterElements: picks([0, 2]),
  ScatterND: picks([0, 2]),
  TensorScatter: picks([0, 1]),
  Trilu: picks([0]),
};
