/** The networks of the bench, small: what samebit is timed with has the same bits on both backends. */
import { expect, it } from 'vitest';
import { EncoderNet } from '../bench/net.ts';
import { encoder, mobileNetV1, mobileNetV2, resNet50 } from '../bench/networks.ts';
import type { Ranges } from '../bench/onnx-targets.ts';
import { graphOf } from '../bench/prepare.ts';
import { SamebitEncoder } from '../bench/samebit-encoder.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { Graph } from '../src/graph/ir.ts';
import { loadModel } from '../src/runtime/load.ts';
import { compareBackends } from './support/differential.ts';

async function differences(graph: Graph): Promise<unknown> {
  return compareBackends(loadModel(encodeModel(graph)), 1, ['reference', 'wasm'], 1);
}

it.each(Object.entries({ mobileNetV1, mobileNetV2, resNet50 }))('%s', async (_, network) => {
  expect(await differences(graphOf({ shape: [1, 32, 32, 3], network }))).toBeNull();
});

it('encoder', async () => {
  const ranges = { get: () => [-3, 3] } as unknown as Ranges;
  const shape = [1, 16, 48];
  const samebit = new SamebitEncoder(ranges, shape, 1 / 64);
  const y = encoder(new EncoderNet(samebit), { v: samebit.input, shape }, 2, 4);
  expect(await differences(samebit.finish(y.v))).toBeNull();
});
