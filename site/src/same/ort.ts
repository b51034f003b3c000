/**
 * onnxruntime-web, one binary for both providers.
 * @module
 */

import module from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import binary from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import * as ort from 'onnxruntime-web/webgpu';

ort.env.wasm.wasmPaths = { mjs: new URL(module, document.baseURI).href, wasm: new URL(binary, document.baseURI).href };
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'fatal';

/** Outputs, one sample behind the other. */
export type Measured = Float32Array<ArrayBuffer>;

/** The input of a network that has one. */
export type OrtInput = (
  | { readonly type: 'float32'; readonly data: Float32Array }
  | { readonly type: 'int64'; readonly data: BigInt64Array }
) & { readonly shape: readonly number[] };

/** Runs a network. */
export async function runOrt(model: Uint8Array, input: OrtInput, provider: 'wasm' | 'webgpu'): Promise<Measured> {
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 4 });
  const x =
    input.type === 'int64'
      ? new ort.Tensor('int64', input.data, input.shape)
      : new ort.Tensor('float32', input.data, input.shape);
  const results = await session.run({ [session.inputNames[0]!]: x });
  const y = (await results[session.outputNames[0]!]!.getData()) as Float32Array;
  const own = y.slice() as Measured;
  await session.release();
  return own;
}
