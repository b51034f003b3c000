import { readFile } from 'node:fs/promises';
import { createSession, loadModel, type Model, type RunResult, SamebitError } from 'samebit';
import { type Profile, toWasm } from 'samebit/compile';
import { type ConformanceReport, runConformance } from 'samebit/conformance';
import { commit, type Receipt } from 'samebit/consensus';
import { createPrecompile, type PrecompileOptions } from 'samebit/evm';
import { decodeModel, encodeModel, type Graph } from 'samebit/format';
import { createGpuJs, type GpuJsOptions } from 'samebit/gpujs';
import { Blob, type Listing } from 'samebit/market';
import { ImportError, parseOnnx } from 'samebit/onnx';
import { InferenceSession, runOf, Tensor } from 'samebit/ort';
import { type Answer, type Label, pipeline } from 'samebit/pipeline';
import { type ConvertOptions, convertOnnx, quantizeInput } from 'samebit/quant';
import { reference } from 'samebit/reference';
import { wasm } from 'samebit/wasm';
import { createWebGl } from 'samebit/webgl';
import { createWebGpu, type GpuOptions } from 'samebit/webgpu';

export type Types = [
  Profile,
  ConformanceReport,
  Receipt,
  PrecompileOptions,
  GpuJsOptions,
  Listing,
  ConvertOptions,
  GpuOptions,
];

const values = [
  toWasm,
  runConformance,
  commit,
  createPrecompile,
  createGpuJs,
  Blob,
  parseOnnx,
  convertOnnx,
  quantizeInput,
];
for (const value of [...values, createWebGl, createWebGpu, ImportError, SamebitError])
  if (typeof value !== 'function') throw new Error('an entry point lacks an export');

const bytes: Uint8Array = await readFile('digits.sbm');
const digit = new Uint8Array(await readFile('digit.bin'));
const graph: Graph = decodeModel(bytes);
const model: Model = loadModel(encodeModel(graph));
const digests = new Set<string>();
for (const backend of [wasm, reference]) {
  const session = await createSession(model, { backend });
  const { digest }: RunResult = await session.run({ input: digit });
  digests.add(digest);
}

const ort = await InferenceSession.create(bytes);
digests.add(runOf(await ort.run({ input: new Tensor(digit, [1, 28, 28, 1]) })).digest);

const classify = await pipeline('image-classification', bytes);
const answer: Answer<Label[]> = await classify({ width: 28, height: 28, data: digit });
digests.add(answer.digest);

if (digests.size !== 1) throw new Error(`different digests: ${[...digests]}`);
console.log(`digest ${answer.digest}`);
