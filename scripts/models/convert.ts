/**
 * Converts an ONNX file of a package with synthetic calibration samples, and compares the integers with the floats.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gasAtMaxima } from '../../src/cli/figures.ts';
import { readArray } from '../../src/cli/files.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Model } from '../../src/graph/ir.ts';
import { fixInputs } from '../../src/onnx/fix.ts';
import { lower } from '../../src/onnx/lower.ts';
import { type OnnxModel, parseOnnx } from '../../src/onnx/parse.ts';
import { type ConvertResult, convertModel } from '../../src/quant/convert.ts';
import type { FloatGraph } from '../../src/quant/float-graph.ts';
import { dequantizeOutput, quantizeInput } from '../../src/quant/float-io.ts';
import { type SampleTensor, sampleReader } from '../../src/quant/samples.ts';
import { createSession } from '../../src/runtime/session.ts';
import type { PackagedFile } from './packages.ts';
import { runFloat, synthetic } from './synthetic.ts';

/** Samples of the test, of another seed than those of the calibration. */
export const TEST = 2;
/** Calibration samples where a file says nothing else. */
export const CALIB = 4;
/** Gas from which a run on the reference takes minutes and is left out. */
const MOST_GAS = 6_000_000_000n;

type Samples = Readonly<Record<string, SampleTensor>>;

/** A file that was converted. */
export interface Converted {
  readonly result: ConvertResult;
  readonly bytes: Uint8Array;
  readonly test: Samples;
  readonly seconds: number;
}

/** The model of a file with the inputs that the table fixes. */
export function sourceOf(bytes: Uint8Array, { set }: PackagedFile): OnnxModel {
  return fixInputs(parseOnnx(bytes), set ?? {});
}

/** Samples beside a model of the shared folder: of the calibration and of the test. */
function stored(path: string, graph: FloatGraph): readonly [Samples, Samples] | undefined {
  const [calib, test] = [join(dirname(path), 'calib.npy'), join(dirname(path), 'test.npy')];
  if (!existsSync(calib) || graph.inputs.length !== 1) return undefined;
  const { name, integers } = graph.inputs[0]!;
  const few = (file: string, n: number): SampleTensor => {
    const { dtype, shape, data } = readArray(file);
    const each = data.length / shape[0]!;
    const count = Math.min(n, shape[0]!);
    const scale = dtype === 'u8' && !integers ? 255 : 1;
    const values = Float64Array.from({ length: count * each }, (_, i) => data[i]! / scale);
    return { dtype: dtype === 'u8' ? 'f32' : dtype, shape: [count, ...shape.slice(1)], data: values };
  };
  return [{ [name]: few(calib, 32) }, { [name]: few(test, TEST) }];
}

/** Converts the file at `path`. Throws `SamebitError`, the refusal. */
export function convertFile(model: OnnxModel, path: string, size: number, file: PackagedFile): Converted {
  const { dims, values, samples = CALIB, test: tested = TEST } = file;
  const start = performance.now();
  const graph = lower(model, { dims });
  const [calib, test] = stored(path, graph) ?? [
    synthetic(graph, samples, 1, values),
    synthetic(graph, tested, 2, values),
  ];
  const result = convertModel(model, size, { dims, samples: calib });
  const bytes = encodeModel(result.graph);
  return { result, bytes, test, seconds: (performance.now() - start) / 1000 };
}

/** Outputs that stay below this, half a step of a probability, hold nothing to compare. */
export const SILENT: number = 2 ** -16;

/** What the integers of a model say of its floats. */
export interface Compared {
  /** 10·log10 of signal over error against the float interpreter, the lowest of all outputs; undefined where all stay below `SILENT`. */
  readonly dB: number | undefined;
  /** Rows of the outputs along their last axis, and those whose greatest element is that of the floats. */
  readonly rows: number;
  readonly same: number;
  /** Digest of the first test sample, and whether the reference gives it too; undefined where the reference was left out. */
  readonly digest: string;
  readonly onReference: boolean | undefined;
}

/** Index of the greatest of a row. */
function greatest(row: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[at]!) at = i;
  return at;
}

/** Runs the test samples in integers and in floats. */
export async function compare({ result, test }: Converted, model: Model): Promise<Compared> {
  const { float } = result;
  const readers = float.inputs.map((input) => {
    const { scale, zp } = input.integers ?? { scale: 1, zp: 0 };
    const transform = { scale: Float64Array.of(scale), shift: Float64Array.of(-zp * scale) };
    return sampleReader(float, input, test[input.name]!, transform);
  });
  const [signal, noise, peak] = [float.outputs.map(() => 0), float.outputs.map(() => 0), float.outputs.map(() => 0)];
  const digests = new Map<string, string>();
  let [rows, same] = [0, 0];
  for (const backend of gasAtMaxima(model) < MOST_GAS ? (['wasm', 'reference'] as const) : (['wasm'] as const)) {
    const session = await createSession(model, { backend });
    for (let s = 0; s < (backend === 'wasm' ? readers[0]!.count : 1); s++) {
      const values = readers.map((r) => r.read(s).slice());
      const decls = result.graph.inputs;
      const inputs = Object.fromEntries(decls.map((decl, i) => [decl.name, quantizeInput(decl, values[i]!)]));
      const { outputs, digest } = await session.run(inputs);
      if (s === 0) digests.set(backend, digest);
      if (backend !== 'wasm') continue;
      const floats = runFloat(float, values);
      float.outputs.forEach((o, k) => {
        const got = dequantizeOutput(result.graph.outputs[k]!, outputs[o.name]!, result.types[o.tensor]!.zp);
        const { data: want, shape } = floats[o.tensor]!;
        for (let i = 0; i < want.length; i++) {
          signal[k]! += want[i]! ** 2;
          peak[k] = Math.max(peak[k]!, Math.abs(want[i]!));
          noise[k]! += (got[i]! - want[i]!) ** 2;
        }
        const width = shape.at(-1)!;
        for (let i = 0; width > 1 && i < want.length; i += width) {
          rows++;
          if (greatest(got.subarray(i, i + width)) === greatest(want.subarray(i, i + width))) same++;
        }
      });
    }
    session.dispose();
  }
  const dB = signal
    .map((s, k) => (noise[k]! > 0 ? 10 * Math.log10(s / noise[k]!) : 200))
    .filter((_, k) => peak[k]! >= SILENT);
  const digest = digests.get('wasm')!;
  const own = digests.get('reference');
  const least = dB.length === 0 ? undefined : Math.min(...dB);
  return { dB: least, rows, same, digest, onReference: own === undefined ? undefined : own === digest };
}
