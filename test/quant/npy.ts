import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleTensor } from '../../src/quant/samples.ts';

const DTYPES: Record<string, (b: ArrayBuffer) => SampleTensor['data']> = {
  '|u1': (b) => new Uint8Array(b),
  '|i1': (b) => new Int8Array(b),
  '<f4': (b) => new Float32Array(b),
  '<f8': (b) => new Float64Array(b),
  '<i4': (b) => new Int32Array(b),
};
const NAMES: Record<string, SampleTensor['dtype']> = {
  '|u1': 'u8',
  '|i1': 'i8',
  '<f4': 'f32',
  '<f8': 'f64',
  '<i4': 'i32',
};

/** Reads a version 1.0, C-order .npy file of the fixtures. */
export function readNpy(path: string): SampleTensor {
  const bytes = readFileSync(path);
  const length = bytes.readUInt16LE(8);
  const header = bytes.subarray(10, 10 + length).toString('latin1');
  const dtype = /'descr': '([^']+)'/.exec(header)![1]!;
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)![1]!
    .split(',')
    .filter((s) => s.trim() !== '');
  const body = new Uint8Array(bytes.subarray(10 + length)).buffer;
  return { dtype: NAMES[dtype]!, shape: shape.map(Number), data: DTYPES[dtype]!(body) };
}

/** Folder of a fixture model: the copy in examples/, else the shared models; undefined where neither is present. */
export function fixture(example: string, shared: string): string | undefined {
  const root = join(import.meta.dirname, '../..');
  const folders = [
    join(root, 'examples', example),
    join(process.env.SAMEBIT_SHARED ?? join(root, '../shared'), 'models', shared),
  ];
  return folders.find((f) => existsSync(join(f, 'model.onnx')) && existsSync(join(f, 'test.npy')));
}
