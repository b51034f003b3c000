/**
 * What a conversion warns of, and the size that it aims at.
 * @module
 */

import type { FloatGraph } from './float-graph.ts';
import type { Ranges } from './observe.ts';
import type { LayerReport } from './quantize.ts';
import type { WeightType } from './rounding.ts';

/** Greatest share of the source's bytes that the model aims at; small models may have more. */
export function sizeGoal(source: number): number {
  return source * (source < 300000 ? 0.3 : 0.27);
}

/** Warnings about what the samples hold, and about an option without effect. */
export function idle(graph: FloatGraph, ranges: Ranges, int4: number, weights: WeightType | undefined): string[] {
  const still = graph.inputs.filter(({ tensor }) => ranges[tensor]?.lo === 0 && ranges[tensor]?.hi === 0);
  return [
    ...still.map((i) => `input ${i.name} is 0 in every calibration sample: give samples of what the model will read`),
    ...(weights === 'i4' && int4 === 0
      ? ['no layer took i4 weights: they are for dense layers and convolutions of float weights']
      : []),
  ];
}

/** Warnings about float inputs whose samples are bytes, where nothing says what reals these stand for. */
export function rawBytes(
  inputs: readonly { readonly name: string }[],
  { inputType, mean, std }: { readonly inputType?: unknown; readonly mean?: unknown; readonly std?: unknown },
): string[] {
  if (inputType !== undefined || mean !== undefined || std !== undefined) return [];
  return inputs.map(
    (i) =>
      `the samples of input ${i.name} are bytes, taken as the reals 0 to 255: if the network expects others, pass mean and std, and the input type u8 to run on bytes`,
  );
}

/** Warnings about the size, the samples and layers of the result; `samples` is their number, `source` the bytes of the ONNX file. */
export function warningsOf(
  layers: readonly LayerReport[],
  samples: number | undefined,
  bytes: number,
  source: number,
): string[] {
  const warnings: string[] = [];
  if (bytes > sizeGoal(source))
    warnings.push(
      `the model has ${bytes} bytes, ${((100 * bytes) / source).toFixed(1)} % of its source: layers with few weights a channel take more than a quarter`,
    );
  if (samples !== undefined && samples < 16)
    warnings.push(`only ${samples} calibration samples: ranges may be too narrow; a few hundred are better`);
  for (const layer of layers)
    if (layer.range.lo === 0 && layer.range.hi === 0)
      warnings.push(`${layer.name} (${layer.source}) is 0 for every calibration sample`);
  return warnings;
}
