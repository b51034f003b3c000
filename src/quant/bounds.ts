/**
 * Sizes that a conversion takes on: an ONNX file of a few bytes may ask for any extent.
 * @module
 */
import { ImportError } from '../onnx/errors.ts';
import { type FloatGraph, sizeOf } from './float-graph.ts';

/** Most elements of one tensor of a float graph: half a gigabyte as f64. */
const TENSOR_ELEMENTS = 67108864;
/** Most elements of all tensors together. */
const GRAPH_ELEMENTS = 268435456;

/**
 * Checks extents and element counts of a lowered graph before anything is allocated for it.
 * @throws ImportError `TooLarge` that names the node whose output is too large
 */
export function checkSizes(graph: FloatGraph): void {
  const makers = new Map(graph.nodes.map((n) => [n.output, n]));
  let total = 0;
  for (const t of graph.tensors) {
    const size = sizeOf(t.shape);
    const node = makers.get(t.id);
    const where = node === undefined ? { node: t.name, op: 'Input' } : { node: node.name, op: node.source };
    total += size;
    if (
      !t.shape.every((d) => Number.isSafeInteger(d) && d >= 0) ||
      !(size <= TENSOR_ELEMENTS) ||
      !(total <= GRAPH_ELEMENTS)
    ) {
      throw new ImportError('TooLarge', 'the tensors of the graph are too large to calibrate', {
        ...where,
        expected: `at most ${TENSOR_ELEMENTS} elements a tensor, ${GRAPH_ELEMENTS} together`,
        actual: `[${t.shape.join(', ')}]`,
      });
    }
  }
}
