/**
 * `npx tsx examples/face-api/convert.ts model.onnx calib.npy model.sbm [mean std]`: a network on bytes as an integer model. The detector takes
 * pixels as they are; the recogniser's are (v − 127.5)/255.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { convertOnnx } from '../../src/quant.ts';

const [onnx = 'model.onnx', calib = 'calib.npy', target = 'model.sbm', mean = '0', std = '1'] = process.argv.slice(2);
const { data, shape } = readNpy(readFileSync(calib));
const samples = { dtype: 'u8', shape, data: data as Uint8Array } as const;
const options = { inputType: 'u8', mean: [Number(mean)], std: [Number(std)], samples } as const;
const { graph } = await convertOnnx(new Uint8Array(readFileSync(onnx)), options);
const bytes = encodeModel(graph);
writeFileSync(target, bytes);
console.log(`${target}: ${bytes.length} bytes`);
