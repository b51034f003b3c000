/**
 * What a model is compared with: reference outputs and labels from files, checked before anything runs.
 * @module
 */
import { type FloatGraph, type FloatPort, sizeOf, sourceShape } from '../quant/float-graph.ts';
import { ArrayError } from './array-errors.ts';
import type { NpyArray } from './npy.ts';

/** Elements of a row of the output's last axis, in the float model's layout. */
export function widthOf(graph: FloatGraph, port: FloatPort): number {
  return sourceShape(graph, port).at(-1) ?? 1;
}

/** Runs that an array covers: its first axis is the sample, and `each` elements make a run, of one sample or of a batch. */
function rowsOf(what: string, array: NpyArray, each: number, batch: number): number {
  const size = sizeOf(array.shape.slice(1));
  const samples = size === each ? 1 : batch;
  const rows = Math.floor((array.shape[0] ?? 0) / samples);
  if (size * samples !== each || rows === 0)
    throw new ArrayError('WrongShape', `the ${what} does not fit the output`, {
      expected: each === batch ? '1 value a sample' : `${each / batch} values a sample`,
      actual: `[${array.shape.join(', ')}]`,
    });
  return rows;
}

/** Refuses NaN, infinity and what is infinite as a float32. @throws ArrayError NotFinite */
export function checkFinite(what: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(Math.fround(values[i]!)))
      throw new ArrayError('NotFinite', `the ${what} holds no finite float at value ${i}: ${values[i]}`);
}

/** Runs that the reference of an output covers. @throws ArrayError */
export function referenceRows(graph: FloatGraph, port: FloatPort, what: string, array: NpyArray): number {
  const shape = sourceShape(graph, port);
  const rows = rowsOf(what, array, sizeOf(shape), shape[0] ?? 1);
  checkFinite(what, array.data);
  return rows;
}

/** Runs that labels of an output cover: one label for each row of its last axis. @throws ArrayError */
export function labelRows(graph: FloatGraph, port: FloatPort, what: string, array: NpyArray): number {
  const shape = sourceShape(graph, port);
  const width = widthOf(graph, port);
  const rows = rowsOf(what, array, sizeOf(shape.slice(0, -1)), shape.length > 1 ? shape[0]! : 1);
  checkFinite(what, array.data);
  const count = width === 1 ? 2 : width; // a single probability is class 0 or 1
  const bad = array.data.findIndex((v) => !Number.isInteger(v) || v < 0 || v >= count);
  if (bad >= 0)
    throw new ArrayError('BadLabel', `the ${what} names no class of the output at value ${bad}`, {
      expected: `a whole number in 0…${count - 1}`,
      actual: String(array.data[bad]),
    });
  return rows;
}
