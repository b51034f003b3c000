import * as ort from 'onnxruntime-web';

export async function classify(model: Uint8Array, pixels: Uint8Array) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    extra: { samebit: { nchw: true } }, // images as in the ONNX file; ONNX Runtime passes it over
  });
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  const image = Float32Array.from(pixels, (v) => v / 255);
  const results = await session.run({ [input!]: new ort.Tensor('float32', image, [1, 1, 28, 28]) });
  const scores = results[output!]!.data as Float32Array;
  await session.release();
  return { results, scores, best: scores.indexOf(Math.max(...scores)) };
}
