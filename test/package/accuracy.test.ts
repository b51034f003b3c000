/** The examples, converted with the command line and run with the built library. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readNpy } from '../../src/cli/npy.ts';
import { bytes, convertDigits, example, folder, samebit } from '../cli/samebit.ts';
import { samebit as library, quant } from './library.ts';

const dir = folder();

function array(path: string): ReturnType<typeof readNpy> {
  return readNpy(bytes(example(path)));
}

function argmax(v: ArrayLike<number>): number {
  return Array.from(v).reduce((best, x, i, all) => (x > all[best]! ? i : best), 0);
}

it('mnist: at least 99.15 % of 2,000 digits, in at most 27 % of the bytes', async () => {
  const path = join(dir, 'digits.sbm');
  expect(convertDigits(path).code).toBe(0);
  expect(statSync(path).size).toBeLessThanOrEqual(0.27 * statSync(example('mnist/model.onnx')).size);
  const session = await library.createSession(library.loadModel(bytes(path)), { backend: 'wasm' });
  const [images, labels] = [array('mnist/test.npy').data as Uint8Array, array('mnist/labels.npy').data];
  let correct = 0;
  labels.forEach((label, i) => {
    const { outputs } = session.runSync({ input: images.subarray(i * 784, (i + 1) * 784) });
    if (argmax(outputs.output!.data) === label) correct++;
  });
  console.log(`mnist: ${correct} of ${labels.length}, ${statSync(path).size} bytes`);
  expect(labels.length).toBe(2000);
  expect(correct).toBeGreaterThanOrEqual(1983);
});

it('german-credit: at least 189 of 250, and 97 % agreement with the float model', async () => {
  const path = join(dir, 'credit.sbm');
  expect(
    samebit(['convert', example('german-credit/model.onnx'), '-o', path, '--calib', example('german-credit/calib.npy')])
      .code,
  ).toBe(0);
  const model = library.loadModel(bytes(path));
  const session = await library.createSession(model, { backend: 'wasm' });
  const [rows, labels, floats] = ['test', 'labels', 'float_outputs'].map((f) => array(`german-credit/${f}.npy`).data);
  let [correct, agree] = [0, 0];
  labels!.forEach((label, i) => {
    const features = quant.quantizeInput(model.inputs[0]!, rows!.subarray(i * 61, (i + 1) * 61));
    const { outputs } = session.runSync({ features });
    const bad =
      quant.dequantizeOutput(model.outputs[0]!, outputs.p_bad!, model.tensors[model.outputs[0]!.tensor]!.zp)[0]! >= 0.5;
    if (bad === (label === 1)) correct++;
    if (bad === floats![i]! >= 0.5) agree++;
  });
  console.log(`german-credit: ${correct} of ${labels!.length}, agreement ${agree}`);
  expect(labels!.length).toBe(250);
  expect(correct).toBeGreaterThanOrEqual(189);
  expect(agree).toBeGreaterThanOrEqual(0.97 * 250);
});

it('verify finds both the same on every backend', () => {
  for (const name of ['digits', 'credit']) {
    const { code, stdout } = samebit(['verify', join(dir, `${name}.sbm`), '--runs', '30', '--seed', '9', '--json']);
    expect([code, JSON.parse(stdout).identical]).toEqual([0, true]);
  }
});
