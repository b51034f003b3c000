/**
 * From `.npy` files to the inputs of a run: which sample, which layout, integers as they are and floats by the stored scale.
 * @module
 */
import type { Dim, SymbolDecl } from '../core/dim.ts';
import { InputError, printable } from '../core/errors.ts';
import { elementCount, type Tensor } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import { quantizeInput } from '../quant/float-io.ts';
import { UsageError } from './errors.ts';
import { type NamedFile, namedFile, readArray } from './files.ts';
import type { NpyArray } from './npy.ts';
import { ownInputs, showShape } from './signature.ts';

/** A sample in the model's layout. `note` says what was done to it, for people. */
interface Sample {
  readonly shape: readonly number[];
  readonly data: NpyArray['data'];
  readonly note: string;
}

/** Pairs files with inputs by name; a single file without a name goes to a single input. */
export function pairFiles(inputs: readonly InputDecl[], files: readonly NamedFile[]): Map<InputDecl, NamedFile> {
  const pairs = new Map<InputDecl, NamedFile>();
  const names = inputs.map((d) => printable(d.name)).join(', ');
  for (const file of files) {
    const name = file.name ?? (inputs.length === 1 ? inputs[0]!.name : undefined);
    if (name === undefined)
      throw new UsageError(
        'UnnamedInput',
        `the model has ${inputs.length} inputs, so each file needs a name`,
        `Pass name=FILE for each of ${names}.`,
      );
    const input = inputs.find((d) => d.name === name);
    if (input === undefined)
      throw new InputError('UnknownInput', `the model has no input ${printable(name)}`, {
        expected: names,
        actual: name,
      });
    if (pairs.has(input))
      throw new UsageError('TwiceGiven', `input ${printable(name)} is given twice`, 'Pass one file for each input.');
    pairs.set(input, file);
  }
  return pairs;
}

function fits(want: readonly Dim[], have: readonly number[]): boolean {
  return want.length === have.length && want.every((d, i) => typeof d !== 'number' || d === have[i]);
}

function sameBut1(want: readonly Dim[], have: readonly number[]): boolean {
  return `${want.filter((d) => d !== 1)}` === `${have.filter((d) => d !== 1)}`;
}

/** Elements of a [C,H,W] image as [H,W,C]. */
function channelsLast(data: NpyArray['data'], c: number, plane: number): NpyArray['data'] {
  const out = data.slice();
  for (let i = 0; i < plane; i++) for (let k = 0; k < c; k++) out[i * c + k] = data[k * plane + i]!;
  return out;
}

/** One sample in the model's layout, or undefined where its shape is another. */
function arrange(
  want: readonly Dim[],
  shape: readonly number[],
  data: NpyArray['data'],
  note: string,
): Sample | undefined {
  if (fits(want, shape)) return { shape, data, note };
  if (fits(want, [1, ...shape])) return { shape: [1, ...shape], data, note };
  const fixed = want.filter((d): d is number => typeof d === 'number');
  if (fixed.length !== want.length) return undefined;
  if (sameBut1(want, shape)) return { shape: fixed, data, note };
  const [c, h, w] = shape.slice(-3);
  const image = fixed.length === 4 && fixed[0] === 1 && (shape.length === 3 || (shape.length === 4 && shape[0] === 1));
  if (!image || fixed[1] !== h || fixed[2] !== w || fixed[3] !== c) return undefined;
  return { shape: fixed, data: channelsLast(data, c!, h! * w!), note: `${note}, channels moved last` };
}

/**
 * The sample of an array: the whole array where it has the input's shape, else entry `index` of its first axis. Axes of
 * size 1 do not matter, and an image whose channels stand first is turned.
 */
function sampleOf(
  input: InputDecl,
  array: NpyArray,
  index: number | undefined,
  symbols: readonly SymbolDecl[],
): Sample {
  const { shape, data } = array;
  const whole = index === undefined ? arrange(input.shape, shape, data, '') : undefined;
  if (whole !== undefined) return whole;
  const [samples = 0, ...rest] = shape;
  const at = index ?? 0;
  const size = elementCount(rest);
  if (shape.length > 0 && arrange(input.shape, rest, data.subarray(0, 0), '') !== undefined) {
    if (at >= samples)
      throw new UsageError(
        'NoSuchSample',
        `there is no sample ${at}: the file of input ${printable(input.name)} holds ${samples}`,
        'Pass a smaller --index.',
      );
    return arrange(input.shape, rest, data.subarray(at * size, (at + 1) * size), `sample ${at} of ${samples}`)!;
  }
  const expected = showShape(input.shape, symbols);
  throw new InputError('WrongShape', `input ${printable(input.name)}: the array has another shape`, {
    expected: `${expected} or samples of it`,
    actual: `[${shape.join(', ')}]`,
  });
}

/** Values as the input's integers: floats by the stored scale, integers of the input's own type as they are. */
function integersOf(input: InputDecl, dtype: NpyArray['dtype'], sample: Sample): Tensor {
  const { shape, data } = sample;
  const own = input.u8 ? 'u8' : input.dtype;
  if (dtype === 'f32' || dtype === 'f64') {
    const bad = data.findIndex((v) => Number.isNaN(v));
    if (bad >= 0) throw new InputError('OutOfRange', `input ${printable(input.name)}: value ${bad} is not a number`);
    return quantizeInput(input, data, shape);
  }
  if (dtype === 'i64' && own === 'i32') {
    const bad = data.findIndex((v) => v !== (v | 0));
    if (bad >= 0) throw new InputError('OutOfRange', `input ${printable(input.name)}: value ${bad} is no int32`);
    return { dtype: 'i32', shape, data: Int32Array.from(data) };
  }
  if (dtype === 'bool' && own === 'bool') return { dtype: 'bool', shape, data: Int8Array.from(data) };
  if (dtype !== own)
    throw new InputError('WrongDType', `input ${printable(input.name)}: the array has another element type`, {
      expected: `${own}, or f32 to be quantized`,
      actual: dtype,
    });
  return { dtype: own, shape, data: data as Tensor['data'] };
}

/** An input ready to run, and what was done to get it. */
export interface ReadyInput {
  readonly tensor: Tensor;
  readonly note: string;
}

/** @throws InputError, UsageError */
export function readyInput(model: Model, input: InputDecl, array: NpyArray, index: number | undefined): ReadyInput {
  const sample = sampleOf(input, array, index, model.symbols);
  const tensor = integersOf(input, array.dtype, sample);
  const how = array.dtype === 'f32' || array.dtype === 'f64' ? `${array.dtype} by the stored scale` : array.dtype;
  return { tensor, note: [sample.note.replace(/^, /, ''), how].filter((n) => n !== '').join(', ') };
}

/**
 * The inputs of a run by name, from files given as FILE or NAME=FILE.
 * @param index sample of each array, where it holds several
 */
export function readInputs(
  model: Model,
  files: readonly string[] | undefined,
  index: number | undefined,
): Map<string, ReadyInput> {
  const inputs = ownInputs(model);
  const pairs = pairFiles(inputs, (files ?? []).map(namedFile));
  return new Map(
    inputs.map((d) => {
      const file = pairs.get(d);
      if (file === undefined) throw new InputError('MissingInput', `input ${printable(d.name)} is missing`);
      return [d.name, readyInput(model, d, readArray(file.path), index)];
    }),
  );
}
