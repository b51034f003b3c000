/**
 * Synthetic samples of a model's inputs, the same on every machine, and the float graph run on them.
 */
import { type FloatGraph, sizeOf, sourceShape } from '../../src/quant/float-graph.ts';
import { execute } from '../../src/quant/interpret.ts';
import type { Block } from '../../src/quant/kernels/block.ts';
import type { SampleTensor } from '../../src/quant/samples.ts';
import { roundTo } from '../../src/quant/sensitivity.ts';

/** Uniform in −1…1. */
function generator(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return (s >>> 8) / 8388608 - 1;
  };
}

/** Samples of every input: saw waves with noise within −1…1; whole numbers below `values` of the input, 2 where it has none. */
export function synthetic(
  graph: FloatGraph,
  count: number,
  seed: number,
  values: Readonly<Record<string, number>> = {},
): Record<string, SampleTensor> {
  const next = generator(seed);
  return Object.fromEntries(
    graph.inputs.map((input) => {
      const shape = [...sourceShape(graph, input)];
      const size = sizeOf(shape);
      const whole = graph.tensors[input.tensor]!.domain !== 'real';
      const data = new Float64Array(count * size);
      for (let s = 0; s < count; s++) {
        const [period, phase] = [8 + 24 * (next() + 1), next() + 1];
        for (let i = 0; i < size; i++) {
          const saw = 2 * Math.abs(((i / period + phase) % 2) - 1) - 1;
          const v = 0.7 * saw + 0.3 * next();
          data[s * size + i] = whole ? Math.floor(((next() + 1) / 2) * (values[input.name] ?? 2)) : Math.fround(v);
        }
      }
      return [input.name, { dtype: whole ? 'i64' : 'f32', shape: [count, ...shape], data } as SampleTensor];
    }),
  );
}

/** Values of all tensors in floats; those whose integers the source gives are cut to them, as the source does. */
export function runFloat(graph: FloatGraph, inputs: readonly Float64Array[]): readonly Block[] {
  const blocks = graph.tensors.map((t) => ({ data: new Float64Array(sizeOf(t.shape)), shape: t.shape }));
  for (const [i, { tensor }] of graph.inputs.entries()) blocks[tensor]!.data.set(inputs[i]!);
  for (const { op, inputs: from, output } of graph.nodes) {
    const y = blocks[output]!;
    const [first, ...rest] = from.map((id) => blocks[id]!);
    execute(op, first ?? y, y, rest);
    const { pin } = graph.tensors[output]!;
    if (pin) roundTo(y.data, pin, y.data);
  }
  return blocks;
}
