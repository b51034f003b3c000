/**
 * Ranges without samples, for models whose types are given: those of pinned tensors are their types', others follow where an
 * op keeps or bounds its values.
 * @module
 */
import { ImportError } from '../onnx/errors.ts';
import type { FloatGraph, FloatNode } from './float-graph.ts';
import type { Ranges } from './observe.ts';
import { fixedRange, isMove } from './plan.ts';
import type { QType, Range } from './scales.ts';

function typeRange({ lo, hi, zp, scale }: QType): Range {
  return { lo: (lo - zp) * scale, hi: (hi - zp) * scale };
}

function hull(ranges: readonly Range[]): Range {
  return { lo: Math.min(...ranges.map((r) => r.lo)), hi: Math.max(...ranges.map((r) => r.hi)) };
}

/** The range of a node's output from those of its operands; undefined where they do not bound it tightly. */
function follows(node: FloatNode, of: readonly (Range | undefined)[]): Range | undefined {
  const { op } = node;
  const [x] = of;
  if (op.kind === 'constant') {
    const zero = { lo: 0, hi: 0 };
    return op.data.reduce((r, v) => ({ lo: Math.min(r.lo, v), hi: Math.max(r.hi, v) }), zero);
  }
  if (op.kind === 'softmax' || op.kind === 'compare' || op.kind === 'logical') return { lo: 0, hi: 1 };
  if (op.kind === 'unary') return fixedRange(op.fns);
  if (of.some((r) => r === undefined)) return undefined;
  if (op.kind === 'concat' || op.kind === 'extremum') return hull(of as Range[]);
  if (op.kind === 'where') return hull(of.slice(1) as Range[]);
  if (op.kind === 'clamp') return { lo: Math.max(x!.lo, op.lo), hi: Math.min(x!.hi, op.hi) };
  const keeps = isMove(node) || op.kind === 'avg_pool2d' || op.kind === 'resize' || op.kind === 'cast';
  return keeps || (op.kind === 'reduce' && op.how === 'mean') ? x : undefined;
}

/** Ranges of all tensors. Throws `ImportError` NeedsCalibration at the first whose range needs samples. */
export function deriveRanges(graph: FloatGraph): Ranges {
  const ranges: (Range | undefined)[] = graph.tensors.map((t) => t.pin && typeRange(t.pin));
  const need = (what: string, details?: { node: string; op: string }): never => {
    throw new ImportError(
      'NeedsCalibration',
      `${what} has no integer type in the model: quantization needs calibration samples to learn its range`,
      details,
    );
  };
  for (const input of graph.inputs) {
    const reader = graph.nodes.filter((n) => n.inputs.includes(input.tensor));
    const only = reader.length === 1 ? reader[0]!.op : undefined;
    ranges[input.tensor] ??= only?.kind === 'quant' ? typeRange(only.type) : need(`input "${input.name}"`);
  }
  for (const node of graph.nodes) {
    const own = follows(
      node,
      node.inputs.map((id) => ranges[id]),
    );
    const { name, source } = node;
    ranges[node.output] ??= own ?? need(`the output of ${name}`, { node: name, op: source });
  }
  return ranges;
}
