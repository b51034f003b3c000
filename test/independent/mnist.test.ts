/**
 * The digit classifier of examples/mnist: its conversion gives the bytes of test/golden/models/mnist-cnn.sbm, and runs of it have
 * the digests that the second implementation computed (mnist-cnn.digests.json).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hex } from '../../src/core/digest.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { convertOnnx } from '../../src/quant/convert.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { BACKENDS } from '../backends.ts';
import { readNpy } from '../quant/npy.ts';
import { ask, base64, hasPython } from './ask.ts';

interface Golden {
  readonly id: string;
  readonly gas: string;
  readonly memory: { readonly constants: number; readonly peak: number };
  /** Runs on digits of test.npy by index. */
  readonly runs: readonly { readonly index: number; readonly digest: string; readonly logits: readonly number[] }[];
}

const EXAMPLE = join(import.meta.dirname, '../../examples/mnist');
const MODELS = join(import.meta.dirname, '../golden/models');
const file = new Uint8Array(readFileSync(join(MODELS, 'mnist-cnn.sbm')));
const golden = JSON.parse(readFileSync(join(MODELS, 'mnist-cnn.digests.json'), 'utf8')) as Golden;
const test = readNpy(join(EXAMPLE, 'test.npy'));

function digit(index: number): Uint8Array {
  return Uint8Array.from({ length: 784 }, (_, i) => test.data[index * 784 + i]!);
}

describe('mnist-cnn', () => {
  it('is what the conversion of the example gives, with all of its calibration samples', () => {
    const { graph } = convertOnnx(readFileSync(join(EXAMPLE, 'model.onnx')), {
      inputType: 'u8',
      mean: [0],
      std: [255],
      samples: readNpy(join(EXAMPLE, 'calib.npy')),
    });
    expect(Buffer.from(encodeModel(graph)).equals(file)).toBe(true);
  });

  it.each(BACKENDS.map((b) => [b.name, b] as const))('has the stored id, gas and digests on %s', async (_, backend) => {
    const model = loadModel(file);
    expect(hex(model.id)).toBe(golden.id);
    const session = await createSession(model, { backend });
    for (const { index, digest, logits } of golden.runs) {
      const input = model.inputs[0]!;
      const tensor = { dtype: 'u8' as const, shape: input.shape as number[], data: digit(index) };
      const { outputs, gasUsed, digest: found } = await session.run({ [input.name]: tensor });
      expect([found, String(gasUsed)]).toEqual([digest, golden.gas]);
      expect([...outputs[model.outputs[0]!.name]!.data]).toEqual(logits);
    }
    session.dispose();
  });

  // Python again: left out, and said so, on a machine with Node alone.
  it.skipIf(!hasPython)('has them in the second implementation', () => {
    const requests = golden.runs.map((r) => ({
      model: base64(file),
      inputs: [Array.from(digit(r.index), (v) => v - 128)],
    }));
    for (const [i, answer] of ask(requests).entries()) {
      const { index: _, ...run } = golden.runs[i]!;
      const { id, gas, memory } = golden;
      expect(answer).toEqual({ id, gas, memory, digest: run.digest, outputs: [run.logits] });
    }
  });
});
