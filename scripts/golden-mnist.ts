/**
 * Writes test/golden/models/mnist-cnn.sbm from the example, and the digests that the second implementation (Python) computes
 * for it. Run it after a change of the converter, and look at the accuracy test before you commit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeModel } from '../src/format/encode.ts';
import { convertOnnx } from '../src/quant/convert.ts';
import { ask, base64 } from '../test/independent/ask.ts';
import { readNpy } from '../test/quant/npy.ts';

const root = join(import.meta.dirname, '..');
const example = (name: string): string => join(root, 'examples/mnist', name);
const { graph } = convertOnnx(readFileSync(example('model.onnx')), {
  inputType: 'u8',
  mean: [0],
  std: [255],
  samples: readNpy(example('calib.npy')),
});
const file = encodeModel(graph);
const digits = readNpy(example('test.npy')).data;
const INDICES = [0, 3];
const answers = ask(
  INDICES.map((i) => ({
    model: base64(file),
    inputs: [Array.from({ length: 784 }, (_, k) => digits[i * 784 + k]! - 128)],
  })),
);
const [first] = answers;
const runs = answers.map((a, i) => ({ index: INDICES[i], digest: a.digest, logits: a.outputs[0] }));
const target = join(root, 'test/golden/models');
writeFileSync(join(target, 'mnist-cnn.sbm'), file);
writeFileSync(
  join(target, 'mnist-cnn.digests.json'),
  `${JSON.stringify({ id: first!.id, gas: first!.gas, memory: first!.memory, runs })}\n`,
);
console.log(`${file.length} bytes, id ${first!.id}`);
