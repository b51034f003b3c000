/**
 * Symbolic dimensions of a model's inputs: what a caller says of them.
 * @module
 */
import type { SymbolDecl } from '../core/dim.ts';
import { ImportError } from './errors.ts';
import type { OnnxModel, OnnxValue } from './parse.ts';

/** Sizes that a symbolic dimension may have at a run. */
export interface DimRange {
  readonly min: number;
  readonly max: number;
}

/** Values of symbolic dimensions, or ranges of them: by name, or by place as `input[axis]`, which goes first. */
export type Dims = Readonly<Record<string, number | DimRange>>;

/** Name of a symbolic dimension. Exporters write "?" for any number of dimensions that have nothing to do with each other. */
function dimName(input: OnnxValue, dim: string, axis: number): string {
  return dim === '' || dim === '?' ? `${input.name}[${axis}]` : dim;
}

/** Concrete shape of an input: `dims` by name; axis 0, the batch, is 1 by default. */
export function bindShape(input: OnnxValue, dims: Readonly<Record<string, number>>): number[] {
  if (!input.shape)
    throw new ImportError(
      'UnsupportedForm',
      `input "${input.name}" has no shape: its rank must be known`,
      undefined,
      'Export it with a shape; its dimensions may be symbolic.',
    );
  return input.shape.map((d, axis) => {
    if (typeof d === 'number') return d;
    const name = dimName(input, d, axis);
    const given = [`${input.name}[${axis}]`, name].find((key) => Object.hasOwn(dims, key));
    const value = given !== undefined ? dims[given]! : axis === 0 ? 1 : undefined;
    if (value === undefined)
      throw new ImportError(
        'UnknownDim',
        `axis ${axis} of input "${input.name}" is the symbolic dimension "${name}" without a value`,
        undefined,
        `Give it a value with --dim ${name}=VALUE.`,
      );
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ImportError('BadOption', `the dimension "${name}" must be a whole number from 1`, {
        expected: '1 or more',
        actual: String(value),
      });
    return value;
  });
}

/** Refuses a value for a dimension that no input has: a misspelt name. */
export function checkDims(model: OnnxModel, dims: Readonly<Record<string, number>>): void {
  const known = model.inputs.flatMap((i) =>
    (i.shape ?? []).map((d, axis) => (typeof d === 'string' ? dimName(i, d, axis) : d)),
  );
  const names = known.filter((d) => typeof d === 'string');
  const places = new Set(
    model.inputs.flatMap((i) =>
      (i.shape ?? []).flatMap((d, axis) => (typeof d === 'string' ? [`${i.name}[${axis}]`] : [])),
    ),
  );
  const wrong = Object.keys(dims).find((name) => !names.includes(name) && !places.has(name));
  if (wrong === undefined) return;
  const list =
    names.length > 0 ? `its dimensions are ${[...new Set(names)].join(', ')}` : 'all its dimensions are fixed';
  throw new ImportError('BadOption', `the model has no dimension "${wrong}": ${list}`);
}

/** The ranges among dims as symbols, in the order of the inputs' dimensions. */
export function symbolsOf(dims: Dims): SymbolDecl[] {
  return Object.entries(dims).flatMap(([name, v]) => {
    if (typeof v === 'number' || v.min === v.max) return [];
    const whole = [v.min, v.max].every(Number.isSafeInteger);
    if (!whole || v.min < 1 || v.max < v.min || v.max > 2 ** 30)
      throw new ImportError('BadOption', `the range of the dimension "${name}" is none`, {
        expected: '1 ≤ min ≤ max ≤ 2^30',
        actual: `${v.min}…${v.max}`,
      });
    return [{ name, min: v.min, max: v.max }];
  });
}
