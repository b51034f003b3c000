/**
 * `npx tsx examples/antifake/convert.ts model.onnx calib.npy model.sbm`: the trained detector as an integer model that takes bytes of luma.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { convertOnnx } from '../../src/quant.ts';

const [onnx = 'model.onnx', calib = 'calib.npy', target = 'model.sbm'] = process.argv.slice(2);
const { data, shape } = readNpy(readFileSync(calib));
const samples = { dtype: 'u8', shape, data: data as Uint8Array } as const;
const { graph } = await convertOnnx(new Uint8Array(readFileSync(onnx)), { inputType: 'u8', std: [255], samples });
const bytes = encodeModel(graph);
writeFileSync(target, bytes);
console.log(`${target}: ${bytes.length} bytes`);
