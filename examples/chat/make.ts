/**
 * Makes model.sbm from the character transformer: `npx tsx examples/chat/make.ts FOLDER`, where FOLDER holds its `model.onnx` and
 * `calib.npy` (256 windows of 64 characters). Weights become i4; then the window becomes a step (step.ts) that draws a letter.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { hex, loadModel } from '../../src/index.ts';
import { convertOnnx } from '../../src/quant.ts';
import { stepModel } from './step.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where model.onnx and calib.npy are');
const samples = readNpy(readFileSync(join(folder, 'calib.npy')));
const { graph } = await convertOnnx(new Uint8Array(readFileSync(join(folder, 'model.onnx'))), {
  samples,
  weights: 'i4',
});
const bytes = encodeModel(stepModel(loadModel(encodeModel(graph)), { temperature: 0.7, k: 12, p16: 60000 }));
writeFileSync(new URL('model.sbm', import.meta.url), bytes);
console.log(`model.sbm: ${bytes.length} bytes, id ${hex(loadModel(bytes).id)}`);
