/**
 * Which refusals are by design: what a graph of fixed integer steps cannot hold, whatever is built.
 * @module
 */
import type { Row } from './cases.ts';

/** Reasons by a pattern of the refusal. */
const BY_DESIGN: readonly (readonly [RegExp, string])[] = [
  [
    /is a sequence, an optional or a tensor of a type that is not read/,
    'sequences, optionals, text, complex numbers, floats of 8 bits',
  ],
  [/names no ONNX opset/, 'a domain of preview or classical models alone'],
  [/sequences and optional values/, 'sequences and optional values'],
  [/it works on text/, 'text'],
  [/draws random numbers|random numbers/, 'random numbers'],
  [/: it trains/, 'training'],
  [/known at run time only|its condition depends/, 'loops and branches of the data'],
  [/shape of its output depends on the data/, 'shapes of the data'],
  [/holds NaN or infinity|undefined at/, 'NaN or infinity'],
  [/is a constant|all inputs are structural/, 'nothing left to run: the output is constant'],
  [/the scales allow an error/, 'the derived bound is above 2 % of the range'],
  [/must be a constant|must be one value|take one scale|own range/, 'a parameter that is data'],
  [/classical kind/, 'trees and other classical models'],
  [/it has no integer form/, 'pictures in files, spectra'],
];

/** Why a refusal is by design; undefined where it is only not built yet. */
export function byDesign(row: Row): string | undefined {
  return BY_DESIGN.find(([pattern]) => pattern.test(row.reason ?? ''))?.[1];
}
