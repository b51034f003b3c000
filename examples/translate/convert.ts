/**
 * `npx tsx examples/translate/convert.ts model.onnx calib.npy model.sbm`: the trained network as an integer model. Weights
 * are rounded to the nearest, not fitted to each of the twenty steps of the decoder: so all steps share them.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { convertOnnx } from '../../src/quant.ts';
import { STEPS } from './translator.ts';

const [onnx = 'model.onnx', calib = 'calib.npy', target = 'model.sbm'] = process.argv.slice(2);
const data = readNpy(readFileSync(calib)).data as Int32Array;
const samples = { dtype: 'i32', shape: [data.length / STEPS, STEPS], data } as const;
const options = { samples, fitWeights: false, correctBias: false };
const { graph, report } = await convertOnnx(new Uint8Array(readFileSync(onnx)), options);
const bytes = encodeModel(graph);
writeFileSync(target, bytes);
console.log(`${target}: ${bytes.length} bytes, ${report.layers.length} layers`);
