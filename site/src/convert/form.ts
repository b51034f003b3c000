/**
 * Options of a conversion as the form has them, and the command that does the same.
 * @module
 */
import type { ConvertOptions, InputType } from 'samebit/quant';
import type { Failure } from '../shell/error.ts';
import type { Gathered } from './files.ts';

/** The options that the form knows. */
export type FormOptions = Pick<
  ConvertOptions,
  'inputType' | 'mean' | 'std' | 'dims' | 'ranges' | 'target' | 'budget' | 'weights'
>;

/** What a user typed, by the names of the fields. */
export type Typed = Readonly<
  Record<'inputType' | 'mean' | 'std' | 'dims' | 'ranges' | 'target' | 'budget' | 'weights', string>
>;

function refused(field: string, next: string): Failure {
  return { family: 'UsageError', code: 'BadOption', message: `the field “${field}” cannot be read`, next };
}

function numbers(field: string, text: string): readonly number[] | undefined {
  if (text.trim() === '') return undefined;
  const list = text.split(',').map((t) => (t.trim() === '' ? Number.NaN : Number(t)));
  if (list.every((n) => Number.isFinite(n))) return list;
  throw refused(field, 'Write a number, or one a channel with commas between them.');
}

function number(field: string, text: string, least: number): number | undefined {
  const [n, ...more] = numbers(field, text) ?? [];
  if (more.length === 0 && (n === undefined || n >= least)) return n;
  throw refused(field, `Write one number from ${least}.`);
}

function dimsOf(text: string): Record<string, number | { min: number; max: number }> | undefined {
  const parts = text.split(/[\s,]+/).filter((p) => p !== '');
  const dims = parts.map((part): [string, number | { min: number; max: number }] => {
    const [, name, least, greatest] = /^(.+)=(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(part) ?? [];
    const [min, max] = [Number(least), Number(greatest ?? least)];
    if (name === undefined || min < 1 || max < min)
      throw refused(
        'Dimensions',
        'Write NAME=VALUE or NAME=MIN..MAX, with whole numbers from 1 and spaces between them.',
      );
    return [name, greatest === undefined ? min : { min, max }];
  });
  return dims.length > 0 ? Object.fromEntries(dims) : undefined;
}

/** The options that the form asks for. @throws Failure */
export function optionsOf(typed: Typed): FormOptions {
  return {
    inputType: typed.inputType === '' ? undefined : (typed.inputType as InputType),
    mean: numbers('Mean', typed.mean),
    std: numbers('Standard deviation', typed.std),
    dims: dimsOf(typed.dims),
    ranges: typed.ranges === 'percentile' ? { percentile: 99.99 } : (typed.ranges as 'minmax' | 'mse' | 'auto'),
    target: number('Target', typed.target, 0),
    budget: number('Budget', typed.budget, 1),
    weights: typed.weights as 'i8' | 'i4',
  };
}

/** A word of a command line. */
function quoted(word: string): string {
  return /^[\w./=,+:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command that converts the same files with the same options. */
export function commandOf({ model, samples }: Gathered, typed: Typed): string {
  const source = model?.name ?? 'MODEL.onnx';
  const words = ['samebit', 'convert', source, '-o', source.replace(/(\.onnx)?$/i, '.sbm')];
  const [only] = samples;
  if (samples.length === 1) words.push('--calib', only!.name);
  else for (const s of samples) words.push('--calib', `${s.name.replace(/\.npy$/i, '')}=${s.name}`);
  const flag = (name: string, text: string, usual = ''): void => {
    if (text.trim() !== usual) words.push(`--${name}`, text.trim());
  };
  flag('input-type', typed.inputType);
  flag('mean', typed.mean);
  flag('std', typed.std);
  for (const part of typed.dims.split(/[\s,]+/)) flag('dim', part);
  flag('ranges', typed.ranges, 'minmax');
  flag('target', typed.target);
  flag('budget', typed.budget);
  flag('weights', typed.weights, 'i8');
  return words.map(quoted).join(' ');
}
