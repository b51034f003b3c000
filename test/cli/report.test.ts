import { describe, expect, it } from 'vitest';
import { convertReport } from '../../src/cli/report/convert.ts';
import { modelPage, onnxPage } from '../../src/cli/report/graph.ts';
import { layout } from '../../src/cli/report/layout.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { convertOnnx } from '../../src/quant/convert.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { buildOnnx, type ModelSpec, values } from '../onnx/build.ts';

/** A network whose output is a picture, with a name that is HTML. */
const SPEC: ModelSpec = {
  inputs: { '<b>x': ['N', 1, 12, 12] },
  nodes: [
    ['Conv', ['<b>x', 'w'], ['c'], { pads: [1, 1, 1, 1] }],
    ['Relu', ['c'], ['r']],
    ['ConvTranspose', ['r', 'u'], ['y'], { strides: [2, 2] }],
    ['LSTM', ['z', 'lw', 'lr'], ['h'], { hidden_size: 3 }],
    ['Reshape', ['y', 'rows'], ['z']],
  ],
  constants: [
    { name: 'w', shape: [4, 1, 3, 3], values: values(36, 1) },
    { name: 'u', shape: [4, 1, 2, 2], values: values(16, 2) },
    { name: 'lw', shape: [1, 12, 24], values: values(288, 3).map((v) => v * 0.1) },
    { name: 'lr', shape: [1, 12, 3], values: values(36, 4) },
    { name: 'rows', shape: [3], values: [24, -1, 24], int: true },
  ],
  outputs: ['y', 'h'],
};
const [conv, relu, up, lstm, reshape] = SPEC.nodes;
const bytes = buildOnnx({ ...SPEC, nodes: [conv!, relu!, up!, reshape!, lstm!] });
const samples = { dtype: 'f32', shape: [20, 1, 12, 12], data: values(20 * 144, 5) } as const;
const told = { source: 'a&b.onnx', onnxBytes: bytes.length, target: 34 };

/** One file: nothing is loaded, nothing runs, every tag is closed in order, no text of the model is markup. */
function expectClosed(text: string): void {
  expect(text).not.toMatch(/<script|javascript:|https?:|<b>x|NaN|undefined/i);
  expect(text).toContain("default-src 'none'");
  expect(text).toContain('prefers-color-scheme: dark');
  const open: string[] = [];
  for (const [, close, name, self] of text
    .replace(/<style>.*<\/style>/s, '')
    .matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
    if (self || /^(meta|img)$/.test(name!)) continue;
    if (close) expect(open.pop()).toBe(name);
    else open.push(name!);
  }
  expect(open).toEqual([]);
}

describe('the report of a conversion', () => {
  it('says what each layer became, with errors, ranges, costs and pictures', async () => {
    const result = convertOnnx(bytes, { samples });
    const model = loadModel(encodeModel(result.graph));
    const text = await convertReport(result, model, told);
    expectClosed(text);
    for (const op of ['conv2d', 'conv_transpose2d', 'lstm']) expect(text).toContain(`>${op}<`);
    expect(text).toContain('a&amp;b.onnx');
    expect(text).toContain('What would help');
    expect(text.match(/data:image\/png;base64,iVBORw0KGgo/g)!.length).toBe(3 * 4); // an input, and an output three times
    expect(text.match(/ dB/g)!.length).toBeGreaterThan(4);
    expect(text).toContain(String(model.nodes.length));
  });

  it('costs and bytes by layer add up to the model', async () => {
    const result = convertOnnx(bytes, { samples });
    const model = loadModel(encodeModel(result.graph));
    const { collect } = await import('../../src/cli/report/collect.ts');
    const { layers } = await collect(result, model);
    const constants = model.constants.reduce((n, c) => n + c.data.byteLength, 0);
    expect(layers.reduce((n, l) => n + l.bytes, 0)).toBe(constants);
    expect(layers.flatMap((l) => l.became)).toEqual(model.nodes.map((n) => n.op));
    const output = layers.find((l) => l.became.includes('conv_transpose2d'))!;
    expect(output.sqnr).toBeGreaterThan(30);
    expect(output.histogram!.counts.reduce((a, b) => a + b, 0)).toBe(8 * 576);
  });

  it('reports symbolic models at the size of the samples, and quantized ones without samples', async () => {
    const plain: ModelSpec = { ...SPEC, nodes: SPEC.nodes.slice(0, 3), outputs: ['y'] };
    const result = convertOnnx(buildOnnx(plain), { samples, dims: { N: { min: 1, max: 4 } } });
    expectClosed(await convertReport(result, loadModel(encodeModel(result.graph)), told));
    const type = { name: 's', shape: [], values: [0.5] };
    const zero = { name: 'z', shape: [], values: [0], type: 'i8' } as const;
    const quantized = convertOnnx(
      buildOnnx({
        inputs: { q: [1, 4] },
        types: { q: 'i8' },
        nodes: [
          ['DequantizeLinear', ['q', 's', 'z'], ['x']],
          ['Relu', ['x'], ['r']],
          ['QuantizeLinear', ['r', 's', 'z'], ['y']],
        ],
        constants: [type, zero],
        outputs: ['y'],
      }),
    );
    const literal = { inputs: 8, elements: 48, different: 2, steps: 1 };
    const text = await convertReport(quantized, loadModel(encodeModel(quantized.graph)), { ...told, literal });
    expect(text).toContain('at most 1 output steps from its literal reading, over 48 outputs of 8 random inputs');
    expectClosed(text);
    expect(text).toContain('No calibration samples were given');
  });
});

describe('the graph view', () => {
  it('of an integer model has every node, range and weight', () => {
    const model = loadModel(encodeModel(convertOnnx(bytes, { samples }).graph));
    const text = modelPage(model, 'm.sbm');
    expectClosed(text);
    model.nodes.forEach((n, i) => {
      expect(text).toContain(`>${i} ${n.op}<`);
      expect(text).toContain(`id="n${i}"`);
    });
  });

  it('of an ONNX file has shapes, or the sentence that says why it does not convert', () => {
    const text = onnxPage(parseOnnx(bytes), 'm.onnx', bytes.length, {});
    expectClosed(text);
    expect(text).toContain('Every node is read');
    const bad = buildOnnx({ inputs: { x: [4] }, nodes: [['NonZero', ['x'], ['y']]], outputs: ['y'] });
    expect(onnxPage(parseOnnx(bad), 'b.onnx', bad.length, {})).toContain('the shape of its output depends on the data');
  });

  it('lays boxes out below what they read, no two in one place', () => {
    const boxes = Array.from({ length: 60 }, (_, i) => ({
      lines: [String(i)] as const,
      from: i === 0 ? [] : [...new Set([Math.floor((i - 1) / 3), Math.max(0, i - 7)])],
      colour: 'soft' as const,
    }));
    const { places, width } = layout(boxes);
    boxes.forEach((b, i) => {
      for (const f of b.from) expect(places[f]!.y).toBeLessThan(places[i]!.y);
      expect(places[i]!.x).toBeGreaterThanOrEqual(0);
      expect(places[i]!.x).toBeLessThan(width);
    });
    for (const [i, p] of places.entries())
      for (const q of places.slice(i + 1)) expect(p.y === q.y && Math.abs(p.x - q.x) < 200).toBe(false);
  });
});
