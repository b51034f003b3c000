/**
 * The real models that tables are made of: those of examples/ and of the shared folder (SAMEBIT_SHARED).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ConvertOptions } from '../../src/quant/convert.ts';

const root = join(import.meta.dirname, '../..');
const shared = join(process.env['SAMEBIT_SHARED'] ?? join(root, '../shared'), 'models');

/** A model with the options of its conversion. */
export interface RealModel {
  readonly name: string;
  /** Folder below examples/; the others are below the shared folder. */
  readonly example?: string;
  readonly source: string;
  readonly options: Pick<ConvertOptions, 'inputType' | 'mean' | 'std'>;
}

/** In the order of the tables. */
export const REAL_MODELS: readonly RealModel[] = [
  { name: 'mnist-cnn', example: 'mnist', source: 'own, PyTorch', options: { inputType: 'u8', std: [255] } },
  { name: 'german-credit-mlp', example: 'german-credit', source: 'own, PyTorch', options: {} },
  { name: 'onnxruntime-mnist', source: 'onnxruntime-inference-examples, CNTK', options: { inputType: 'u8' } },
  {
    name: 'ultraface',
    source: 'Ultra-Light-Fast-Generic-Face-Detector-1MB',
    options: { inputType: 'u8', mean: [127], std: [128] },
  },
  {
    name: 'super-resolution',
    source: 'onnxruntime-extensions, PyTorch',
    options: { inputType: 'u8', std: [255] },
  },
  { name: 'openwakeword-embedding', source: 'openWakeWord', options: {} },
  { name: 'yunet-face', source: 'libfacedetection.train, PyTorch', options: { inputType: 'u8' } },
];

/** Folder of the model's files; undefined where it is not on this machine. */
export function folderOf(model: RealModel): string | undefined {
  const folder = model.example ? join(root, 'examples', model.example) : join(shared, model.name);
  return existsSync(join(folder, 'model.onnx')) ? folder : undefined;
}
