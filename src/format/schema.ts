/**
 * The messages of the model file: the schema that model.proto states for other tools (a test compares them), with the
 * limits that the reader holds (spec/20-format.md §2, §4).
 * @module
 */
import { LIMITS } from './limits.ts';
import type { Schema } from './protobuf.ts';

const DIM: Schema = [null, { name: 'c', type: 'sint' }, { name: 'k', type: 'sints', most: LIMITS.symbols }];
const SCALE: Schema = [null, { name: 'mantissa', type: 'bytes' }, { name: 'exponent', type: 'sint' }];
const SYMBOL: Schema = [
  null,
  { name: 'name', type: 'string' },
  { name: 'min', type: 'uint' },
  { name: 'max', type: 'uint' },
];

const INPUT: Schema = [
  null,
  { name: 'name', type: 'string' },
  { name: 'dtype', type: 'uint' },
  { name: 'shape', type: DIM, most: LIMITS.rank },
  { name: 'zp', type: 'sint' },
  { name: 'lo', type: DIM },
  { name: 'hi', type: DIM },
  { name: 'scale', type: SCALE },
  { name: 'u8', type: 'bool' },
];

const OUTPUT: Schema = [
  null,
  { name: 'name', type: 'string' },
  { name: 'tensor', type: 'uint' },
  { name: 'scale', type: SCALE },
  { name: 'u8', type: 'bool' },
];

const ATTR: Schema = [
  null,
  { name: 'tag', type: 'uint' },
  { name: 'ints', type: 'sints', most: LIMITS.attrInts },
  { name: 'blob', type: 'bytes' },
  { name: 'dims', type: DIM, most: LIMITS.rank },
];

const NODE: Schema = [
  null,
  { name: 'op', type: 'uint' },
  { name: 'inputs', type: 'uints', most: LIMITS.nodeInputs },
  { name: 'attrs', type: ATTR, most: LIMITS.attrs },
];

const STATE: Schema = [null, { name: 'input', type: 'uint' }, { name: 'output', type: 'uint' }];

/** A constant; its data come last, so that a head and a view of the data make its bytes. */
export const CONSTANT: Schema = [
  null,
  { name: 'dtype', type: 'uint' },
  { name: 'shape', type: 'uints', most: LIMITS.rank },
  { name: 'zp', type: 'sint' },
  { name: 'data', type: 'bytes' },
];

/** The file. */
export const MODEL: Schema = [
  null,
  { name: 'spec', type: 'uint' },
  { name: 'symbols', type: SYMBOL, most: LIMITS.symbols },
  { name: 'inputs', type: INPUT, most: LIMITS.inputs },
  { name: 'nodes', type: NODE, most: LIMITS.nodes },
  { name: 'outputs', type: OUTPUT, most: LIMITS.outputs },
  { name: 'states', type: STATE, most: LIMITS.inputs },
  { name: 'constants', type: CONSTANT, most: LIMITS.constants },
];
