import { describe, expect, it } from 'vitest';
import { ImportError } from '../../src/onnx/errors.ts';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { type FloatGraph, sourceShape } from '../../src/quant/float-graph.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { sourceOrder } from '../../src/quant/samples.ts';
import { buildOnnx, type ModelSpec, type NodeSpec, values } from './build.ts';

function graphOf(spec: ModelSpec, dims: Record<string, number> = {}): FloatGraph {
  return lower(parseOnnx(buildOnnx(spec)), { dims });
}

/** Runs on an input in ONNX layout; output 0 in ONNX layout with its ONNX shape. */
function run(graph: FloatGraph, x: readonly number[]): { data: number[]; shape: number[] } {
  const order = sourceOrder(graph, graph.inputs[0]!);
  const interpreter = createInterpreter(graph);
  interpreter.run([Float64Array.from(x, (_, i) => x[order ? order[i]! : i]!)]);
  const port = graph.outputs[0]!;
  const back = sourceOrder(graph, port);
  const stored = interpreter.values[port.tensor]!;
  const data = new Array<number>(stored.length);
  stored.forEach((v, i) => {
    data[back ? back[i]! : i] = v;
  });
  return { data, shape: sourceShape(graph, port) };
}

function kinds(graph: FloatGraph): string {
  return graph.nodes.map((n) => n.op.kind).join(' ');
}

function refusal(spec: ModelSpec, dims: Record<string, number> = {}): ImportError {
  try {
    graphOf(spec, dims);
  } catch (error) {
    if (error instanceof ImportError) return error;
    throw error;
  }
  throw new Error('accepted');
}

interface ConvCase {
  readonly size: readonly [number, number, number];
  readonly outputs: number;
  readonly kernel: readonly [number, number];
  readonly group: number;
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** Convolution in NCHW, from the definition. */
function naiveConv(c: ConvCase, x: number[], w: number[], b: number[]): number[] {
  const [ch, h, wd] = c.size;
  const [cg, og] = [ch / c.group, c.outputs / c.group];
  const extent = (size: number, i: 0 | 1): number =>
    Math.floor((size + c.pads[i] + c.pads[i + 2]! - (c.kernel[i] - 1) * c.dilations[i] - 1) / c.strides[i]) + 1;
  const [oh, ow] = [extent(h, 0), extent(wd, 1)];
  const out: number[] = [];
  for (let o = 0; o < c.outputs; o++)
    for (let y = 0; y < oh; y++)
      for (let z = 0; z < ow; z++) {
        let acc = b[o]!;
        for (let i = 0; i < cg; i++)
          for (let ky = 0; ky < c.kernel[0]; ky++)
            for (let kx = 0; kx < c.kernel[1]; kx++) {
              const iy = y * c.strides[0] - c.pads[0] + ky * c.dilations[0];
              const ix = z * c.strides[1] - c.pads[1] + kx * c.dilations[1];
              if (iy < 0 || iy >= h || ix < 0 || ix >= wd) continue;
              const channel = Math.floor(o / og) * cg + i;
              acc += x[(channel * h + iy) * wd + ix]! * w[((o * cg + i) * c.kernel[0] + ky) * c.kernel[1] + kx]!;
            }
        out.push(acc);
      }
  return out;
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!), `element ${i}`).toBeLessThan(1e-6 * (1 + Math.abs(expected[i]!)));
  });
}

describe('Conv', () => {
  const base: ConvCase = {
    size: [4, 7, 6],
    outputs: 6,
    kernel: [3, 2],
    group: 1,
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
  };
  const cases: ConvCase[] = [
    base,
    { ...base, pads: [1, 0, 2, 1], strides: [2, 3] },
    { ...base, group: 2, dilations: [2, 3], pads: [2, 2, 2, 2] },
    { ...base, group: 4, outputs: 4 },
    { ...base, group: 4, outputs: 8, kernel: [1, 1] },
  ];
  it.each(cases)('agrees with the definition: %o', (c) => {
    const [ch, h, w] = c.size;
    const weight = values(c.outputs * (ch / c.group) * c.kernel[0] * c.kernel[1], 3);
    const [bias, x] = [values(c.outputs, 4), values(ch * h * w, 5)];
    const graph = graphOf({
      inputs: { x: ['N', ch, h, w] },
      constants: [
        { name: 'w', shape: [c.outputs, ch / c.group, ...c.kernel], values: weight },
        { name: 'b', shape: [c.outputs], values: bias },
      ],
      nodes: [
        ['Conv', ['x', 'w', 'b'], ['y'], { group: c.group, strides: c.strides, dilations: c.dilations, pads: c.pads }],
      ],
      outputs: ['y'],
    });
    expect(kinds(graph)).toBe('conv2d');
    expectClose(run(graph, x).data, naiveConv(c, x, weight, bias));
  });

  it('resolves auto_pad, the odd pad at the end or the front', () => {
    const window = (auto: string): unknown => {
      const graph = graphOf({
        inputs: { x: [1, 1, 5, 6] },
        constants: [{ name: 'w', shape: [1, 1, 2, 3], values: values(6) }],
        nodes: [['Conv', ['x', 'w'], ['y'], { auto_pad: auto, strides: [1, 2] }]],
        outputs: ['y'],
      });
      const op = graph.nodes[0]!.op;
      return op.kind === 'conv2d' ? [op.pads, sourceShape(graph, graph.outputs[0]!)] : undefined;
    };
    expect(window('SAME_UPPER')).toEqual([
      [0, 0, 1, 1],
      [1, 1, 5, 3],
    ]);
    expect(window('SAME_LOWER')).toEqual([
      [1, 1, 0, 0],
      [1, 1, 5, 3],
    ]);
    expect(window('VALID')).toEqual([
      [0, 0, 0, 0],
      [1, 1, 4, 2],
    ]);
  });

  it('takes 1-D signals as images of height 1', () => {
    const c: ConvCase = { ...base, size: [2, 1, 9], outputs: 3, kernel: [1, 3], pads: [0, 1, 0, 1] };
    const [weight, x] = [values(18, 3), values(18, 5)];
    const spec: ModelSpec = {
      inputs: { x: [1, 2, 9] },
      constants: [{ name: 'w', shape: [3, 2, 3], values: weight }],
      nodes: [['Conv', ['x', 'w'], ['y'], { pads: [1, 1] }]],
      outputs: ['y'],
    };
    expectClose(run(graphOf(spec), x).data, naiveConv(c, x, weight, [0, 0, 0]));
  });
});

describe('fusion', () => {
  const constants = [
    { name: 'w', shape: [3, 2, 1, 1], values: values(6) },
    ...['gamma', 'beta', 'mean'].map((name, i) => ({ name, shape: [3], values: values(3, i + 2) })),
    { name: 'var', shape: [3], values: [0.5, 1, 2] },
    { name: 'six', shape: [], values: [6] },
    { name: 'zero', shape: [], values: [0] },
    { name: 'row', shape: [3, 1, 1], values: [1, 2, 3] },
  ];
  const conv: NodeSpec = ['Conv', ['x', 'w'], ['c']];
  const norm: NodeSpec = ['BatchNormalization', ['c', 'gamma', 'beta', 'mean', 'var'], ['n']];
  const spec = (nodes: NodeSpec[], outputs: string[]): ModelSpec => ({
    inputs: { x: [1, 2, 4, 4] },
    constants,
    nodes,
    outputs,
  });

  it('folds BatchNormalization, a channel bias and limits into one convolution', () => {
    const graph = graphOf(
      spec([conv, norm, ['Add', ['row', 'n'], ['a']], ['Clip', ['a', 'zero', 'six'], ['y']]], ['y']),
    );
    expect(kinds(graph)).toBe('conv2d');
    const plain = run(graphOf(spec([conv], ['c'])), values(32, 9)).data;
    const expected = plain.map((v, i) => {
      const ch = Math.floor(i / 16);
      const at = (name: string): number => constants.find((c) => c.name === name)!.values[ch]!;
      const n = ((v - at('mean')) / Math.sqrt(at('var') + Math.fround(1e-5))) * at('gamma') + at('beta');
      return Math.min(Math.max(n + ch + 1, 0), 6);
    });
    expectClose(run(graph, values(32, 9)).data, expected);
  });

  it('keeps a normalisation whose convolution has another use, as a depthwise convolution', () => {
    const graph = graphOf(spec([conv, norm, ['Add', ['c', 'n'], ['y']]], ['y']));
    expect(kinds(graph)).toBe('conv2d conv2d linear');
  });

  it('joins unary functions into one', () => {
    const graph = graphOf(
      spec([conv, ['Tanh', ['c'], ['t']], ['LeakyRelu', ['t'], ['l']], ['Sigmoid', ['l'], ['y']]], ['y']),
    );
    expect(kinds(graph)).toBe('conv2d unary');
  });
});

describe('layout', () => {
  const dense = [{ name: 'w', shape: [12, 2], values: values(24, 6) }];
  const shape = { name: 's', shape: [2], values: [0, -1], int: true } as const;

  it('absorbs the order of a flattened image into dense weights', () => {
    const nodes: NodeSpec[] = [
      ['MaxPool', ['x'], ['p'], { kernel_shape: [1, 1] }],
      ['Reshape', ['p', 's'], ['f']],
      ['MatMul', ['f', 'w'], ['y']],
    ];
    const graph = graphOf({ inputs: { x: [1, 3, 2, 2] }, constants: [...dense, shape], nodes, outputs: ['y'] });
    expect(kinds(graph)).toBe('max_pool2d reshape dense');
    const x = values(12, 8);
    expectClose(
      run(graph, x).data,
      [0, 1].map((o) => x.reduce((sum, v, i) => sum + v * dense[0]!.values[i * 2 + o]!, 0)),
    );
  });

  it('cancels transposes around image ops and restores order at an output', () => {
    const there: NodeSpec = ['Transpose', ['x'], ['n'], { perm: [0, 3, 1, 2] }];
    const pool: NodeSpec = ['AveragePool', ['n'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }];
    const back: NodeSpec = ['Transpose', ['p'], ['y'], { perm: [0, 2, 3, 1] }];
    expect(kinds(graphOf({ inputs: { x: [1, 4, 4, 3] }, nodes: [there, pool, back], outputs: ['y'] }))).toBe(
      'avg_pool2d',
    );
    const graph = graphOf({
      inputs: { x: [1, 2, 3] },
      nodes: [
        ['Transpose', ['x'], ['t'], { perm: [0, 2, 1] }],
        ['Relu', ['t'], ['y']],
      ],
      outputs: ['y'],
    });
    expect(run(graph, [1, 2, 3, 4, 5, 6])).toEqual({ data: [1, 4, 2, 5, 3, 6], shape: [1, 3, 2] });
  });

  it('writes ceil_mode as overhang and counts padding as told', () => {
    const pool = (include: number): number[] => {
      const attributes = {
        kernel_shape: [2, 2],
        strides: [2, 2],
        pads: [1, 1, 0, 0],
        ceil_mode: 1,
        count_include_pad: include,
      };
      return run(
        graphOf({ inputs: { x: [1, 1, 2, 2] }, nodes: [['AveragePool', ['x'], ['y'], attributes]], outputs: ['y'] }),
        [4, 8, 12, 16],
      ).data;
    };
    expect(pool(0)).toEqual([4, 8, 12, 16]);
    expect(pool(1)).toEqual([1, 4, 6, 16]);
  });

  it('flattens Softmax before opset 13 and takes one axis after', () => {
    const soft = (opset: number): number[] =>
      run(
        graphOf({ opset, inputs: { x: [1, 2, 2] }, nodes: [['Softmax', ['x'], ['y'], { axis: 1 }]], outputs: ['y'] }),
        [0, 0, 0, 0],
      ).data;
    expect(soft(11)).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(soft(13)).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});

describe('ai.onnx.ml', () => {
  const scaler = (offset: readonly number[], scale: readonly number[]): FloatGraph =>
    graphOf({
      inputs: { x: [2, 3] },
      nodes: [['ai.onnx.ml:Scaler', ['x'], ['y'], { offset: { floats: offset }, scale: { floats: scale } }]],
      outputs: ['y'],
    });

  it.each([
    { offset: [1, 2, 3], scale: [2, 4, 8] },
    { offset: [1, 2, 3], scale: [0.5] },
    { offset: [1], scale: [2, 4, 8] },
    { offset: [1], scale: [2] },
  ])('Scaler is (x − offset)·scale: $offset, $scale', ({ offset, scale }) => {
    const x = [1, 2, 3, -4, 5, 0.25];
    const at = (row: readonly number[], i: number): number => row[row.length === 1 ? 0 : i % 3]!;
    const wanted = x.map((v, i) => (v - at(offset, i)) * at(scale, i));
    expect(run(scaler(offset, scale), x)).toEqual({ data: wanted, shape: [2, 3] });
  });

  it('refuses a Scaler of another number of features', () => {
    expect(() => scaler([1, 2], [1])).toThrow('2 values of offset for 3 features');
  });

  it('ArrayFeatureExtractor picks on the last axis, from a vector as from one row', () => {
    const graph = (shape: readonly number[]): FloatGraph =>
      graphOf({
        inputs: { x: shape },
        constants: [{ name: 'i', shape: [1, 2], values: [2, 0], int: true }],
        nodes: [['ai.onnx.ml:ArrayFeatureExtractor', ['x', 'i'], ['y']]],
        outputs: ['y'],
      });
    expect(run(graph([2, 3]), [1, 2, 3, 4, 5, 6])).toEqual({ data: [3, 1, 6, 4], shape: [2, 2] });
    expect(run(graph([3]), [1, 2, 3])).toEqual({ data: [3, 1], shape: [1, 2] });
  });
});

describe('limits that never hold', () => {
  it.each([
    { op: 'Max', inputs: ['x', 'k'], k: Number.NEGATIVE_INFINITY },
    { op: 'Max', inputs: ['k', 'x'], k: Number.NEGATIVE_INFINITY },
    { op: 'Min', inputs: ['x', 'k'], k: Number.POSITIVE_INFINITY },
  ])('$op of x and $k is x', ({ op, inputs, k }) => {
    const spec = (v: number): ModelSpec => ({
      inputs: { x: [1, 2] },
      constants: [{ name: 'k', shape: [], values: [v] }],
      nodes: [
        [op, inputs, ['m']],
        ['Abs', ['m'], ['y']],
      ],
      outputs: ['y'],
    });
    expect(run(graphOf(spec(k)), [3, -5])).toEqual({ data: [3, 5], shape: [1, 2] });
    expect(refusal(spec(-k))).toMatchObject({ code: 'NotFinite' });
  });
});

describe('refusals', () => {
  it('names the node, the op and all unsupported ops', () => {
    const nodes: NodeSpec[] = [
      ['Relu', ['x'], ['a']],
      ['GridSample', ['a'], ['b']],
      ['NonZero', ['b'], ['c']],
      ['GridSample', ['c'], ['y']],
    ];
    const error = refusal({ inputs: { x: [1, 4] }, nodes, outputs: ['y'] });
    expect(error.code).toBe('UnsupportedOp');
    expect(error.details).toMatchObject({ node: 'GridSample_1', op: 'GridSample' });
    expect(error.message).toBe(
      'node GridSample_1 (GridSample): the model uses ops that are not supported: GridSample (2 nodes), NonZero',
    );
  });

  it('asks for the value of a symbolic dimension, but not of the batch', () => {
    const spec: ModelSpec = { inputs: { x: ['N', 'T'] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] };
    expect(refusal(spec)).toMatchObject({ code: 'UnknownDim', hint: 'Give it a value with --dim T=VALUE.' });
    expect(refusal(spec, { T: 0.5 }).code).toBe('BadOption');
    expect(graphOf(spec, { T: 3 }).tensors[0]!.shape).toEqual([1, 3]);
    expect(graphOf(spec, { N: 2, T: 3 }).tensors[0]!.shape).toEqual([2, 3]);
  });

  it('takes dimensions called "?" one by one', () => {
    const spec: ModelSpec = { inputs: { x: ['?', '?', '?'] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] };
    expect(refusal(spec, { 'x[1]': 4 })).toMatchObject({ hint: 'Give it a value with --dim x[2]=VALUE.' });
    expect(graphOf(spec, { 'x[1]': 4, 'x[2]': 6 }).tensors[0]!.shape).toEqual([1, 4, 6]);
  });

  it('refuses weights that are not finite, variable weights, cycles and inner inconsistencies', () => {
    const dense = (w: number[], inputs = ['x', 'w']): ModelSpec => ({
      inputs: { x: [1, 2] },
      constants: [{ name: 'w', shape: [2, 1], values: w }],
      nodes: [['MatMul', inputs, ['y']]],
      outputs: ['y'],
    });
    expect(refusal(dense([1, Number.NaN])).code).toBe('NotFinite');
    expect(refusal(dense([1, 2], ['x', 'x'])).code).toBe('BadGraph');
    expect(refusal(dense([1, 2], ['y', 'w'])).code).toBe('BadGraph');
    expect(refusal({ ...dense([1, 2]), inputs: { x: [1, 3] } }).message).toContain('node MatMul_0 (MatMul)');
    expect(refusal({ ...dense([1, 2]), outputs: ['z'] }).code).toBe('BadGraph');
  });
});
