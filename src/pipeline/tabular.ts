/**
 * Tables: a row of features in, scores or numbers out.
 * @module
 */
import type { Model } from '../graph/ir.ts';
import { quantizeInput } from '../quant/float-io.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { type Label, ranked } from './labels.ts';
import { only, type Pipeline, type Runs, realValues, task } from './run.ts';

/** A row: its features in the order of the model, in the units that it was trained on. */
export type Row = ArrayLike<number>;

/** Values of the only output for a row. */
function solver(
  model: Model,
  name: string,
): (runs: Runs, row: Row) => Promise<readonly [integers: ArrayLike<number>, values: Float64Array]> {
  const input = only(model.inputs, 'input', name);
  const output = only(model.outputs, 'output', name);
  const shape = input.shape.map((d) => (typeof d === 'number' ? d : 1)); // a symbol is the number of rows
  return async (runs, row) => {
    const outputs = await runs.run({ [input.name]: quantizeInput(input, row, shape) });
    return [outputs[output.name]!.data, realValues(model, output, outputs)];
  };
}

/** The task over a model of one row: scores of its classes as they are, best first; labels are the output's name or its indices. */
export function tabularClassification(
  model: Model,
  session: SessionOptions,
  labels: readonly string[] | undefined,
): Promise<Pipeline<Row, object, Label[]>> {
  const solve = solver(model, 'tabular-classification');
  return task('tabular-classification', model, session, async (runs, row) => {
    const [integers, values] = await solve(runs, row);
    const names = labels ?? (integers.length === 1 ? [model.outputs[0]!.name] : undefined);
    return ranked(integers, values, names, integers.length);
  });
}

/** The task over a model of one row: the numbers of its output. */
export function tabularRegression(model: Model, session: SessionOptions): Promise<Pipeline<Row, object, Float64Array>> {
  const solve = solver(model, 'tabular-regression');
  return task('tabular-regression', model, session, async (runs, row) => (await solve(runs, row))[1]);
}
