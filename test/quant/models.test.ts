import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BoxMatch, matchBoxes } from '../../src/cli/report/boxes.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { type Box, detectorOf } from '../../src/pipeline/boxes.ts';
import { type ConvertOptions, convertOnnx } from '../../src/quant/convert.ts';
import { sourceShape } from '../../src/quant/float-graph.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { sourceOrder } from '../../src/quant/samples.ts';
import { fromScale } from '../../src/quant/scales.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { fixture, readNpy } from './npy.ts';

interface Expected {
  readonly name: string;
  readonly options: ConvertOptions;
  readonly calib: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly share: number;
}

const yunet = ['cls', 'obj', 'bbox', 'kps'].flatMap((head) => [8, 16, 32].map((s) => `${head}_${s}`));
const MODELS: readonly Expected[] = [
  {
    name: 'ultraface',
    options: { inputType: 'u8', mean: [127], std: [128] },
    calib: 10,
    outputs: { scores: 'float_outputs_scores', boxes: 'float_outputs_boxes' },
    share: 0.27,
  },
  {
    name: 'super-resolution',
    options: { inputType: 'u8', std: [255] },
    calib: 2,
    outputs: { output: 'float_outputs' },
    share: 0.3,
  },
  { name: 'openwakeword-embedding', options: {}, calib: 12, outputs: { conv2d_19: 'float_outputs' }, share: 0.27 },
  {
    name: 'yunet-face',
    options: { inputType: 'u8' },
    calib: 10,
    outputs: Object.fromEntries(yunet.map((o) => [o, `float_outputs_${o}`])),
    share: 0.27,
  },
];

describe.each(MODELS)('$name', ({ name, options, calib, outputs, share }) => {
  const folder = fixture(name, name);
  // The licences of these models keep them out of this repository: they are read from SAMEBIT_SHARED where that is.
  it.skipIf(!folder)('converts within its size and keeps 25 dB on every output', { timeout: 180000 }, async () => {
    const source = readFileSync(join(folder!, 'model.onnx'));
    const all = readNpy(join(folder!, 'calib.npy'));
    const samples = { ...all, shape: [calib, ...all.shape.slice(1)] };
    const { graph, float, report } = convertOnnx(source, { ...options, samples });
    const bytes = encodeModel(graph);
    expect(bytes.length).toBeLessThanOrEqual(share * source.length);
    expect(report.transposes).toBe(0);
    const model = loadModel(bytes);
    const session = await createSession(model, { backend: 'wasm' });
    const test = readNpy(join(folder!, 'test.npy'));
    const decl = graph.inputs[0]!;
    const order = sourceOrder(float, float.inputs[0]!);
    const shape = decl.shape as number[];
    const size = shape.reduce((a, b) => a * b, 1);
    const power = graph.outputs.map(() => ({ signal: 0, noise: 0 }));
    const faces: BoxMatch[] = [];
    for (let n = 0; n < Math.min(6, test.shape[0]!); n++) {
      const raw = Float64Array.from({ length: size }, (_, i) => test.data[n * size + (order ? order[i]! : i)]!);
      const x: Tensor = decl.u8 ? { dtype: 'u8', shape, data: Uint8Array.from(raw) } : quantizeInput(decl, raw);
      const result = await session.run({ [decl.name]: x });
      const [theirs, ours]: Record<string, Float64Array>[] = [{}, {}];
      for (const [k, o] of graph.outputs.entries()) {
        const expected = readNpy(join(folder!, `${outputs[o.name]}.npy`)).data;
        const back = sourceOrder(float, float.outputs[k]!);
        const [scale, zp] = [fromScale(o.scale!), model.tensors[o.tensor]!.zp];
        const { data } = result.outputs[o.name]!;
        const [wanted, own] = [new Float64Array(data.length), new Float64Array(data.length)];
        for (let i = 0; i < data.length; i++) {
          const at = back ? back[i]! : i;
          wanted[at] = expected[n * data.length + at]!;
          own[at] = (data[i]! - zp) * scale;
          power[k]!.signal += wanted[at]! ** 2;
          power[k]!.noise += (wanted[at]! - own[at]!) ** 2;
        }
        theirs![o.name] = wanted;
        ours![o.name] = own;
      }
      const heads = float.outputs.map((o) => ({ name: o.name, shape: sourceShape(float, o) }));
      const [height, width] = sourceShape(float, float.inputs[0]!).slice(2);
      const detector = detectorOf(heads, width ?? 0, height ?? 0);
      expect(detector !== undefined).toBe(name === 'ultraface' || name === 'yunet-face');
      const found = (o: Record<string, Float64Array>): Box[] => detector!.boxes(new Map(Object.entries(o)));
      if (detector) faces.push(matchBoxes(found(theirs!), found(ours!)));
    }
    expect(faces.filter((f) => f.float !== f.ours || f.matched !== f.float || f.least < 0.9)).toEqual([]);
    for (const [k, o] of graph.outputs.entries())
      expect(10 * Math.log10(power[k]!.signal / power[k]!.noise), `${o.name} in dB`).toBeGreaterThan(25);
  });
});
