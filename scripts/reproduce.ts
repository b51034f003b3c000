/**
 * Converts real models with few calibration samples and prints one line a model: name and SHA-256 of the `.sbm` bytes, or
 * name, "refused" and the code of the refusal.
 * scripts/reproduce.sh runs it under two JavaScript engines, whose lines have to be the same.
 *
 * Usage: `tsx scripts/reproduce.ts ROOT [SHARED [TEXT]]`: the repository, the folder whose models/ holds further models, and
 * with TEXT the files of packages (scripts/models/packages.ts) whose package or path holds it, as scripts/packages.ts
 * converts them, in place of all others.
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy } from '../src/cli/npy.ts';
import { encodeModel } from '../src/format/encode.ts';
import { ImportError } from '../src/onnx/errors.ts';
import { type ConvertOptions, convertOnnx } from '../src/quant/convert.ts';
import type { SampleTensor } from '../src/quant/samples.ts';
import { convertFile, sourceOf } from './models/convert.ts';
import { listed, located } from './models/packages.ts';

interface Entry {
  readonly name: string;
  /** In examples/ of the repository, otherwise in models/ of the shared folder. */
  readonly example?: string;
  readonly samples: number;
  readonly options: ConvertOptions;
}

const ENTRIES: readonly Entry[] = [
  { name: 'mnist-cnn', example: 'mnist', samples: 16, options: { inputType: 'u8', std: [255] } },
  { name: 'german-credit-mlp', example: 'german-credit', samples: 64, options: {} },
  { name: 'onnxruntime-mnist', samples: 16, options: { inputType: 'u8' } },
  { name: 'openwakeword-embedding', samples: 2, options: {} },
  { name: 'shakespeare-charlm', samples: 2, options: {} },
  { name: 'super-resolution', samples: 1, options: { inputType: 'u8', std: [255] } },
  { name: 'ultraface', samples: 1, options: { inputType: 'u8', mean: [127], std: [128] } },
  { name: 'yunet-face', samples: 1, options: { inputType: 'u8' } },
];

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** The first `count` samples of an array file. */
function firstSamples(path: string, count: number): SampleTensor {
  const { dtype, shape, data } = readNpy(bytesOf(path));
  const n = Math.min(count, shape[0]!);
  return { dtype, shape: [n, ...shape.slice(1)], data: data.subarray(0, (data.length / shape[0]!) * n) };
}

/** SHA-256 of the model that `folder` converts to, or the code of its refusal. */
function outcome(folder: string, { samples, options }: Entry): string {
  const calib = firstSamples(join(folder, 'calib.npy'), samples);
  try {
    const { graph } = convertOnnx(bytesOf(join(folder, 'model.onnx')), { ...options, samples: calib });
    return createHash('sha256').update(encodeModel(graph)).digest('hex');
  } catch (e) {
    if (e instanceof ImportError) return `refused ${e.code}`;
    throw e;
  }
}

/** Lines of files of packages. */
function packaged(text: string): void {
  for (const choice of listed(text)) {
    const found = located(choice);
    if (!found) continue;
    const name = `${choice.pack.name}/${choice.file.path}${JSON.stringify(choice.file.set ?? {})}`;
    const start = performance.now();
    try {
      const { bytes } = convertFile(sourceOf(found.bytes, choice.file), found.path, found.bytes.length, choice.file);
      console.log(`${name} ${createHash('sha256').update(bytes).digest('hex')}`);
    } catch (e) {
      if (!(e instanceof ImportError)) throw e;
      console.log(`${name} refused ${e.code}`);
    }
    console.error(`  ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}

const [root, shared, text] = process.argv.slice(2);
if (root === undefined) throw new Error('usage: reproduce.ts ROOT [SHARED [TEXT]]');
if (text !== undefined) packaged(text);
for (const entry of text === undefined ? ENTRIES : []) {
  const folder = entry.example
    ? join(root, 'examples', entry.example)
    : shared === undefined
      ? undefined
      : join(shared, 'models', entry.name);
  if (folder === undefined || !existsSync(join(folder, 'model.onnx'))) continue;
  const start = performance.now();
  console.log(`${entry.name} ${outcome(folder, entry)}`);
  console.error(`  ${entry.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
