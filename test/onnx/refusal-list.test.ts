/** The refusals that docs/import.md lists, as a user meets them: one sentence and what to do, word for word. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ImportError } from '../../src/onnx/errors.ts';
import { convertOnnx } from '../../src/quant/convert.ts';
import { buildOnnx, type ModelSpec, type NodeSpec, type TensorSpec } from './build.ts';

const DOCS = readFileSync(join(import.meta.dirname, '../../docs/import.md'), 'utf8');
const section = DOCS.slice(DOCS.indexOf('## What cannot be converted'), DOCS.indexOf('## Precision'));
const ROWS = section
  .split('\n')
  .filter((l) => l.startsWith('| ') && !l.startsWith('| in the model'))
  .map((l) => l.slice(2, -2).split(' | ') as [what: string, says: string, todo: string]);

const node = (...n: NodeSpec): ModelSpec => ({ inputs: { x: [2, 3] }, nodes: [n], outputs: ['y'] });
const real = (name: string, shape: readonly number[], values: readonly number[]): TensorSpec => ({
  name,
  shape,
  values,
});
const ones = (name: string, ...shape: number[]): TensorSpec =>
  real(name, shape, new Array<number>(shape.reduce((a, d) => a * d, 1)).fill(1));
const branch = (nodes: readonly NodeSpec[]): { branch: Omit<ModelSpec, 'inputs'> } => ({
  branch: { nodes, outputs: ['r'], constants: [ones('k', 1)] },
});

/** A detector of speech as it is published: the rate of the samples chooses between two networks with an LSTM each. */
const speech: ModelSpec = {
  inputs: { x: [7, 1, 4], sr: [] },
  types: { sr: 'i64' },
  nodes: [
    ['Equal', ['sr', 'rate'], ['c']],
    [
      'If',
      ['c'],
      ['y'],
      {
        then_branch: branch([['LSTM', ['x', 'w', 'h'], ['r'], { hidden_size: 2 }]]),
        else_branch: branch([['Mul', ['x', 'k'], ['r']]]),
      },
    ],
  ],
  constants: [{ name: 'rate', shape: [], values: [16000], int: true }, ones('w', 1, 8, 4), ones('h', 1, 8, 2)],
  outputs: ['y'],
};
const lstm = (inputs: readonly string[], more: Partial<ModelSpec> = {}): ModelSpec => ({
  inputs: { x: [7, 1, 4] },
  nodes: [['LSTM', inputs, ['y'], { hidden_size: 2 }]],
  outputs: ['y'],
  ...more,
  constants: [ones('w', 1, 8, 4), ones('h', 1, 8, 2), ...(more.constants ?? [])],
});

/** Models by the first cell of the row of docs/import.md. */
const MODELS: Readonly<Record<string, readonly ModelSpec[]>> = {
  '`If` whose condition depends on the input': [speech],
  '`Loop`, `Scan`': [
    node('Loop', ['x'], ['y'], { body: branch([['Mul', ['x', 'k'], ['r']]]) }),
    node('Scan', ['x'], ['y']),
  ],
  'Sequence and Optional types': [
    node('SequenceConstruct', ['x'], ['y']),
    node('SplitToSequence', ['x'], ['y']),
    node('OptionalGetElement', ['x'], ['y']),
  ],
  'String ops': ['StringNormalizer', 'StringConcat', 'StringSplit', 'TfIdfVectorizer', 'RegexFullMatch'].map((op) =>
    node(op, ['x'], ['y']),
  ),
  'inputs of text': [
    { inputs: { x: [2] }, types: { x: 'string' }, nodes: [['Identity', ['x'], ['y']]], outputs: ['y'] },
  ],
  'NonZero, Unique': [node('NonZero', ['x'], ['y']), node('Unique', ['x'], ['y'])],
  'Bernoulli, Random…, Multinomial': [
    node('Bernoulli', ['x'], ['y']),
    node('RandomNormalLike', ['x'], ['y']),
    node('Multinomial', ['x'], ['y']),
  ],
  'Dropout in training mode': [
    {
      ...node('Dropout', ['x', 'r', 't'], ['y']),
      constants: [ones('r'), { name: 't', shape: [], values: [1], type: 'bool' }],
    },
  ],
  'Adam, Momentum, Gradient': [node('ai.onnx.preview.training:Adam', ['x'], ['y'])],
  'TreeEnsemble, LinearClassifier, SVM': [
    node('ai.onnx.ml:TreeEnsembleRegressor', ['x'], ['y']),
    node('ai.onnx.ml:SVMClassifier', ['x'], ['y']),
  ],
  'ImageDecoder, DFT, STFT': ['ImageDecoder', 'DFT', 'STFT'].map((op) => node(op, ['x'], ['y'])),
  'weights that are NaN or infinite': [
    { ...node('MatMul', ['x', 'w'], ['y']), constants: [real('w', [3, 1], [1, Number.NaN, 0])] },
    { ...node('MatMul', ['x', 'w'], ['y']), constants: [real('w', [3, 1], [1, Number.NEGATIVE_INFINITY, 0])] },
  ],
  'other constants that are': [{ ...node('Add', ['x', 'w'], ['y']), constants: [real('w', [3], [1, Number.NaN, 0])] }],
  'inputs of unknown rank': [{ inputs: { x: null }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] }],
  'a symbolic dimension without a value': [
    { inputs: { x: ['N', 'T'] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] },
  ],
  'a shape, K or axis that is computed from data': [
    {
      inputs: { x: [2, 3], s: [1] },
      types: { s: 'i64' },
      nodes: [['Reshape', ['x', 's'], ['y']]],
      outputs: ['y'],
    },
  ],
  'convolution by weights that are data': [
    { inputs: { x: [1, 1, 4, 4], w: [1, 1, 2, 2] }, nodes: [['Conv', ['x', 'w'], ['y']]], outputs: ['y'] },
  ],
  'convolution over three axes': [
    {
      inputs: { x: [1, 1, 4, 4, 4] },
      nodes: [['Conv', ['x', 'w'], ['y']]],
      constants: [ones('w', 1, 1, 2, 2, 2)],
      outputs: ['y'],
    },
  ],
  'LSTM with peepholes': [lstm(['x', 'w', 'h', '', '', '', '', 'p'], { constants: [ones('p', 1, 6)] })],
  'LSTM over sequences of several lengths': [
    lstm(['x', 'w', 'h', '', 'n'], { inputs: { x: [7, 1, 4], n: [1] }, types: { n: 'i32' } }),
  ],
  'any other op': [node('my.domain:Thing', ['x'], ['y'])],
  'an opset below 7 or above 24': [{ opset: 6, ...node('Relu', ['x'], ['y']) }],
};

function refusal(spec: ModelSpec): ImportError {
  const samples = Object.fromEntries(
    Object.entries(spec.inputs).map(([name, shape]) => {
      const own = [4, ...(shape ?? [1]).map((d) => (typeof d === 'number' ? d : 1))];
      const count = own.reduce((a, d) => a * d, 1);
      return [
        name,
        { dtype: 'f32' as const, shape: own, data: Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 11) },
      ];
    }),
  );
  try {
    convertOnnx(buildOnnx(spec), { samples });
  } catch (error) {
    if (error instanceof ImportError) return error;
    throw error;
  }
  throw new Error('accepted');
}

/** What a row says, with … for what differs from model to model. */
const pattern = (text: string): RegExp =>
  new RegExp(
    `^(node \\S+ \\(\\w+\\): )?${text
      .split('…')
      .map((t) => t.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );

describe('refusals of docs/import.md', () => {
  it('are those that are tried here', () => {
    expect(ROWS.map(([what]) => what).sort()).toEqual(Object.keys(MODELS).sort());
  });

  for (const [what, says, todo] of ROWS)
    it(`${what}: one sentence, and what to do`, () => {
      for (const spec of MODELS[what] ?? []) {
        const error = refusal(spec);
        expect(error.message).toMatch(pattern(says));
        expect(error.message).not.toContain('\n');
        expect(error.hint).toBe(todo.replaceAll('`', ''));
      }
    });
});
