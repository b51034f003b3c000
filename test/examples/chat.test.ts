/** The example `chat`: a step has the bits of its row of the window, and engines draw one text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stepModel } from '../../examples/chat/step.ts';
import { decode, emptyMemory, encode, readModel, talk } from '../../examples/chat/talk.ts';
import { enginesOf, type Values } from '../../examples/host.ts';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { createSession, loadModel } from '../../src/index.ts';
import { convertOnnx } from '../../src/quant.ts';
import { fixture } from '../quant/npy.ts';

const folder = fixture('shakespeare-charlm', 'shakespeare-charlm');

describe('chat', () => {
  // The ONNX file and its windows are no part of this repository: read from SAMEBIT_SHARED where that is.
  it.skipIf(folder === undefined)('a step has the bits of its row of the window', async () => {
    const samples = readNpy(readFileSync(join(folder!, 'calib.npy')));
    const few = { ...samples, shape: [4, 64], data: samples.data.subarray(0, 4 * 64) };
    const onnx = new Uint8Array(readFileSync(join(folder!, 'model.onnx')));
    const { graph } = await convertOnnx(onnx, { samples: few, budget: 1, fitWeights: false });
    const window = loadModel(encodeModel(graph));
    const step = loadModel(encodeModel(stepModel(window)));
    const [whole, single] = [await createSession(window), await createSession(step)];
    const tokens = Int32Array.from(samples.data.subarray(640, 704) as ArrayLike<number>);
    const rows = (await whole.run({ tokens })).outputs['logits']!.data;
    let memory: Values = emptyMemory(step);
    for (const [i, token] of tokens.entries()) {
      const words = { token: Int32Array.of(token), position: Int32Array.of(i) };
      const { outputs } = await single.run({ ...words, ...memory });
      expect([...outputs['logits']!.data]).toEqual([...rows.subarray(i * 65, (i + 1) * 65)]);
      memory = Object.fromEntries(Object.keys(memory).map((n) => [n, outputs[n.slice(0, -3)]!.data]));
    }
  });

  it('engines draw one text from a seed, over the end of a window, and others from others', async () => {
    const model = readModel();
    const draw = async (engine: Awaited<ReturnType<typeof enginesOf>>[number], seed: number): Promise<string> => {
      let text = '';
      for await (const c of talk(model, engine, 'LEAR:\n', 70, Int32Array.of(seed, -1))) text += decode([c]);
      return text;
    };
    const engines = await enginesOf(model);
    const texts = await Promise.all(engines.map((e) => draw(e, 1)));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toHaveLength(70);
    expect(await draw(engines[1]!, 2)).not.toBe(texts[0]);
  });

  it('letters have codes, and others none', () => {
    expect(decode(encode("O, 'tis!\nZz"))).toBe("O, 'tis!\nZz");
    expect(() => encode('é')).toThrow(/knows no/);
  });
});
