/**
 * The ONNX backend tests of the shared folder: index, models and tensors.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImportError } from '../../src/onnx/errors.ts';
import { type OnnxModel, parseOnnx, parseTensor } from '../../src/onnx/parse.ts';
import type { OnnxArray } from '../../src/onnx/tensor.ts';

/** A test as `index.json` lists it. */
export interface Case {
  readonly name: string;
  readonly opset: number | null;
  readonly ops: readonly string[];
  readonly kind: string;
  readonly expanded: boolean;
}

/** A test with its model and tensors; inputs without a file are left out. */
export interface LoadedCase {
  readonly model: OnnxModel;
  readonly inputs: ReadonlyMap<string, OnnxArray>;
  readonly expected: ReadonlyMap<string, OnnxArray>;
}

/** How a test ended on one road. */
export interface Row {
  readonly test: string;
  readonly road: 'integer' | 'float';
  readonly class: 'exact' | 'bounded' | 'refused' | 'fail';
  /** Largest error over its bound's scale: relative on the float road, a share of the output's range on the integer road. */
  readonly figure?: number;
  readonly reason?: string;
}

/** Folder of the tests, or undefined where it is absent. */
export function conformanceFolder(): string | undefined {
  const shared = process.env.SAMEBIT_SHARED ?? join(import.meta.dirname, '../../../shared');
  const folder = join(shared, 'conformance/onnx');
  return existsSync(join(folder, 'index.json')) ? folder : undefined;
}

/** All tests of the index, in its order. */
export function listCases(folder: string): readonly Case[] {
  return JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Case[];
}

/** Opsets whose tests are read; the importer itself takes 7 to 24. */
const OPSETS: readonly [number, number] = [1, 28];

function tensors(folder: string, prefix: string, names: readonly string[]): Map<string, OnnxArray> {
  const out = new Map<string, OnnxArray>();
  names.forEach((name, i) => {
    const path = join(folder, 'test_data_set_0', `${prefix}_${i}.pb`);
    if (!existsSync(path)) return;
    const bytes = readFileSync(path);
    if (bytes.length > 0) out.set(name, parseTensor(bytes));
  });
  return out;
}

/** Reads a test. Throws `ImportError` where the model or a tensor is not read. */
export function loadCase(root: string, test: Case): LoadedCase {
  const folder = join(root, test.name);
  const model = parseOnnx(readFileSync(join(folder, 'model.onnx')), { opsets: OPSETS });
  for (const value of [...model.inputs, ...model.outputs])
    if (value.dtype === null)
      throw new ImportError(
        'UnsupportedForm',
        `"${value.name}" is a sequence, an optional or a tensor of a type that is not read`,
      );
  const inputs = tensors(
    folder,
    'input',
    model.inputs.map((i) => i.name),
  );
  const expected = tensors(
    folder,
    'output',
    model.outputs.map((o) => o.name),
  );
  return { model, inputs, expected };
}
