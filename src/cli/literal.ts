/**
 * An integer model beside the literal reading of the quantized ONNX file it was made of: how many steps of its own type each
 * output differs at most, over seeded random inputs.
 * @module
 */
import { elementCount } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import { evaluateModel } from '../onnx/evaluate.ts';
import type { OnnxModel } from '../onnx/parse.ts';
import type { OnnxArray } from '../onnx/tensor.ts';
import type { ConvertOptions, ConvertResult } from '../quant/convert.ts';
import { type FloatPort, sourceShape } from '../quant/float-graph.ts';
import { sourceOrder } from '../quant/samples.ts';
import { fromScale } from '../quant/scales.ts';
import { createSession } from '../runtime/session.ts';
import { Random, randomInputs } from './random.ts';

/** Differences over some inputs: elements compared, those that differ, and the most steps that one does. */
export interface StepDifference {
  readonly inputs: number;
  readonly elements: number;
  readonly different: number;
  readonly steps: number;
}

/** The same in words. */
export function literalWords({ steps, elements, inputs, different }: StepDifference): string {
  return `integers of the source kept; at most ${steps} output steps from its literal reading, over ${elements} outputs of ${inputs} random inputs (${different} differ)`;
}

/** What the source's input holds where the model's holds the integer q of channel c. */
function sourceValue(decl: InputDecl, port: FloatPort, options: ConvertOptions): (q: number, c: number) => number {
  const scale = decl.scale ? fromScale(decl.scale) : 1;
  if (port.integers) return (q) => q - decl.zp + port.integers!.zp;
  if (!decl.scale) return (q) => q;
  const raw = options.inputType === 'u8' || options.inputType === 'i8';
  const [mean, std] = [options.mean ?? [0], options.std ?? [1]];
  const at = (v: readonly number[], c: number): number => v[v.length === 1 ? 0 : c]!;
  return (q, c) => {
    const own = raw ? q + (decl.u8 ? 128 : 0) : (q - decl.zp) * scale;
    return (own - at(mean, c)) / at(std, c);
  };
}

/** Elements of a port in the source's order. */
function inSourceOrder(result: ConvertResult, port: FloatPort, stored: Float64Array): Float64Array {
  const order = sourceOrder(result.float, port);
  if (!order) return stored;
  const out = new Float64Array(stored.length);
  order.forEach((at, i) => {
    out[at] = stored[i]!;
  });
  return out;
}

/** Runs `count` random inputs both ways. Throws `ImportError` where the literal reading has an op that runs in integers only. */
export async function stepDifference(
  source: OnnxModel,
  result: ConvertResult,
  model: Model,
  options: ConvertOptions,
  count: number,
): Promise<StepDifference> {
  const session = await createSession(model, { backend: 'reference' });
  const random = new Random(1);
  let [elements, different, steps] = [0, 0, 0];
  for (let s = 0; s < count; s++) {
    const given = randomInputs(model, random, []);
    const values = new Map<string, OnnxArray>();
    result.float.inputs.forEach((port, i) => {
      const decl = model.inputs[i]!;
      const value = sourceValue(decl, port, options);
      const { data, shape } = given[port.name]!;
      const channels = shape.at(-1) ?? 1;
      const stored = Float64Array.from({ length: elementCount(shape) }, (_, e) =>
        value(data[e]! - (decl.u8 ? 128 : 0), e % channels),
      );
      const dtype = source.inputs.find((v) => v.name === port.name)?.dtype ?? 'float32';
      values.set(port.name, {
        dtype,
        shape: sourceShape(result.float, port),
        data: inSourceOrder(result, port, stored),
      });
    });
    const literal = evaluateModel(source, values);
    const { outputs } = await session.run(given);
    for (const port of result.float.outputs) {
      const { scale, zp } = result.types[port.tensor]!;
      const { data, dtype } = outputs[port.name]!;
      const shift = zp + (dtype === 'u8' ? 128 : 0);
      const own = inSourceOrder(
        result,
        port,
        Float64Array.from(data, (q) => q - shift),
      );
      const expected = literal.get(port.name)!.data;
      own.forEach((q, i) => {
        const e = port.integers ? (expected[i]! - port.integers.zp) * port.integers.scale : expected[i]!;
        const d = Math.abs(q - e / scale);
        elements++;
        if (d > 0.5) different++;
        steps = Math.max(steps, d);
      });
    }
  }
  session.dispose();
  return { inputs: count, elements, different, steps: Math.floor(steps * 1000 + 0.5) / 1000 };
}
