import { describe, expect, it } from 'vitest';
import { ImportError } from '../../src/onnx/errors.ts';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { buildOnnx, type ModelSpec, type NodeSpec } from './build.ts';

function refusal(spec: ModelSpec): string {
  try {
    lower(parseOnnx(buildOnnx(spec)));
  } catch (error) {
    if (error instanceof ImportError) return `${error.code}: ${error.message} ${error.hint}`;
    throw error;
  }
  throw new Error('accepted');
}

const node = (...n: NodeSpec): ModelSpec => ({ inputs: { x: [2, 3] }, nodes: [n], outputs: ['y'] });
const branch = (nodes: readonly NodeSpec[]): { branch: Omit<ModelSpec, 'inputs'> } => ({
  branch: { nodes, outputs: ['r'], constants: [{ name: 'k', shape: [], values: [2] }] },
});
const choice: NodeSpec = [
  'If',
  ['c'],
  ['y'],
  {
    then_branch: branch([['Mul', ['x', 'k'], ['r']]]),
    else_branch: branch([['Loop', ['k'], ['r']]]),
  },
];

describe('graphs that cannot become one of fixed steps', () => {
  it('takes the branch of a condition that is constant, and leaves the other alone', () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 3] },
      nodes: [['Constant', [], ['c'], { value: { name: 'c', shape: [], values: [1], int: true } }], choice],
      outputs: ['y'],
    };
    const { nodes } = lower(parseOnnx(buildOnnx(spec)));
    expect(nodes.map((n) => [n.op.kind, n.name])).toEqual([['unary', 'If_1/then_branch/Mul_0']]);
  });

  it('names a loop within a branch by its path', () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 3] },
      nodes: [['Constant', [], ['c'], { value: { name: 'c', shape: [], values: [0], int: true } }], choice],
      outputs: ['y'],
    };
    expect(refusal(spec)).toMatch(/If_1\/else_branch\/Loop_0 \(Loop\).*known at run time only.*Unroll/);
  });

  it('refuses a condition that depends on the input', () => {
    const spec = { inputs: { x: [2, 3], c: [] }, types: { c: 'bool' }, nodes: [choice], outputs: ['y'] } as const;
    expect(refusal(spec)).toMatch(/If_0 \(If\).*its condition depends on the input/);
  });

  it('refuses graphs nested without end before they are decoded', () => {
    let deep: NodeSpec = ['Identity', ['x'], ['r']];
    for (let i = 0; i < 12; i++) deep = ['If', ['c'], ['r'], { then_branch: branch([deep]) }];
    expect(() => parseOnnx(buildOnnx({ inputs: { x: [1] }, nodes: [deep], outputs: ['r'] }))).toThrow(
      /nested more than 8/,
    );
  });

  const cases: Readonly<Record<string, [ModelSpec, RegExp]>> = {
    sequences: [node('SequenceConstruct', ['x'], ['y']), /sequences and optional values are no tensors/],
    text: [node('StringNormalizer', ['x'], ['y']), /it works on text/],
    'random numbers': [node('RandomNormalLike', ['x'], ['y']), /draws random numbers/],
    'shapes that depend on data': [node('NonZero', ['x'], ['y']), /shape of its output depends on the data/],
    trees: [node('ai.onnx.ml:TreeEnsembleRegressor', ['x'], ['y']), /classical kind/],
    'inputs of text': [
      { inputs: { x: [2] }, types: { x: 'string' }, nodes: [['Identity', ['x'], ['y']]], outputs: ['y'] },
      /input "x" holds text/,
    ],
    'weights that are no numbers': [
      {
        ...node('Add', ['x', 'w'], ['y']),
        constants: [{ name: 'w', shape: [2, 3], values: [1, Number.NaN, 0, 0, 0, 0] }],
      },
      /NotFinite.*Add_0.*NaN/,
    ],
  };
  for (const [what, [spec, message]] of Object.entries(cases))
    it(`refuses ${what} in one sentence`, () => expect(refusal(spec)).toMatch(message));
});
