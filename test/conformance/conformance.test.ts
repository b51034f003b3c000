import { describe, expect, it } from 'vitest';
import { type Case, conformanceFolder, listCases, loadCase, type Row } from '../../scripts/conformance/cases.ts';
import { floatRow } from '../../scripts/conformance/float.ts';
import { integerRow, selected, selects } from '../../scripts/conformance/integer.ts';
import { ImportError } from '../../src/onnx/errors.ts';
import { evaluateModel } from '../../src/onnx/evaluate.ts';
import { lower } from '../../src/onnx/lower.ts';
import type { OnnxModel } from '../../src/onnx/parse.ts';
import type { OnnxArray } from '../../src/onnx/tensor.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { sourceOrder } from '../../src/quant/samples.ts';

const folder = conformanceFolder();
const cases: readonly Case[] = folder ? listCases(folder) : [];
const nodes = cases.filter((c) => c.name.startsWith('node/') && !c.expanded);

function failures(rows: readonly Row[]): string[] {
  return rows.filter((r) => r.class === 'fail').map((r) => `${r.test}: ${r.reason}`);
}

function passed(rows: readonly Row[]): number {
  return rows.filter((r) => r.class === 'exact' || r.class === 'bounded').length;
}

// The tests of onnx/onnx are no part of this repository; the title says where they were looked for.
describe.skipIf(!folder)(`ONNX backend tests${folder ? '' : ' (absent: SAMEBIT_SHARED)'}`, () => {
  it('the float road passes 1,036 node tests and fails none', { timeout: 120000 }, () => {
    expect(failures(cases.map((c) => floatRow(folder!, c)))).toEqual([]);
    expect(passed(nodes.map((c) => floatRow(folder!, c)))).toBeGreaterThanOrEqual(1036);
  });

  it('the integer road passes 770 node tests and fails none', { timeout: 120000 }, async () => {
    const rows: Row[] = [];
    for (const c of cases) rows.push(await integerRow(folder!, c));
    expect(failures(rows)).toEqual([]);
    const own = new Set(nodes.map((c) => c.name));
    expect(passed(rows.filter((r) => own.has(r.test)))).toBeGreaterThanOrEqual(770);
  });

  it('the lowered graph computes what the node-by-node evaluation does', { timeout: 120000 }, () => {
    const own = nodes.filter((c) => c.kind !== 'unsupported-type'); // float16 rounds after every node
    const rows = own
      .map((c) => ({ name: c.name, difference: compareRoads(c) }))
      .filter((r) => r.difference !== undefined);
    expect(rows.filter((r) => !(r.difference! < 2e-6))).toEqual([]);
    expect(rows.length).toBeGreaterThan(350);
  });
});

/** The model with its inputs' actual shapes, all but the first as constants. */
function specialise(model: OnnxModel, inputs: ReadonlyMap<string, OnnxArray>): OnnxModel {
  const [first, ...rest] = model.inputs;
  const initializers = new Map(model.initializers);
  for (const i of rest) if (inputs.has(i.name)) initializers.set(i.name, { name: i.name, ...inputs.get(i.name)! });
  return { ...model, initializers, inputs: first ? [{ ...first, shape: inputs.get(first.name)!.shape }] : [] };
}

/** Largest relative difference of output 0 by both roads; undefined where one of them refuses. */
function compareRoads(c: Case): number | undefined {
  try {
    const { model, inputs } = loadCase(folder!, c);
    const own = specialise(model, inputs);
    const graph = lower(own);
    if (graph.tensors.some((t) => t.pin)) return undefined; // reals here stand for integers there
    const expected = evaluateModel(model, inputs).get(model.outputs[0]!.name)!;
    const x = inputs.get(own.inputs[0]!.name)!.data;
    const order = sourceOrder(graph, graph.inputs[0]!);
    const interpreter = createInterpreter(graph);
    interpreter.run([order ? Float64Array.from(order, (at) => x[at]!) : x]);
    const port = graph.outputs[0]!;
    const back = sourceOrder(graph, port);
    const stored = interpreter.values[port.tensor]!;
    const y = selects(model, port.name) ? Float64Array.from(selected({ data: stored }).data) : stored;
    const reach = expected.data.reduce((m, v) => Math.max(m, Number.isFinite(v) ? Math.abs(v) : 0), 1);
    return y.reduce((worst, v, i) => {
      const e = expected.data[back ? back[i]! : i]!;
      return Object.is(v, e) || v === e ? worst : Math.max(worst, Math.abs(v - e) / reach);
    }, 0);
  } catch (error) {
    if (error instanceof ImportError) return undefined;
    throw error;
  }
}
