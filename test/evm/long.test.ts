/** Elements of more terms than one proof carries, of the ops that check a claim and of the recurrent ones: contested, split, settled. */
import { beforeAll, describe, expect, it } from 'vitest';
import { termsOf } from '../../src/consensus/cell.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { type Trace, traceRun } from '../../src/consensus/trace.ts';
import { allocate } from '../../src/core/tensor.ts';
import { tileOf } from '../../src/evm/rules.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Constant, Graph, InputDecl, Node } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { type Court, openCourt, publish } from './game.ts';
import { element, forged, playLie, type Truth } from './lies.ts';

const [LINE, BOXES, D, H] = [600, 200, 150, 40];
const random = new Prng(17);

function input(name: string, dtype: InputDecl['dtype'], shape: readonly number[], reach: number): InputDecl {
  return { name, dtype, shape, zp: 0, lo: -reach, hi: reach - 1 };
}

function constant(dtype: 'i8' | 'i16' | 'i32', shape: readonly number[], lo: number, hi: number): Constant {
  const count = shape.reduce((n, d) => n * d, 1);
  const data = allocate(dtype, count);
  for (let i = 0; i < count; i++) data[i] = random.int(lo, hi);
  return { dtype, shape, zp: 0, data };
}

/** Long lines, many boxes, wide cells. */
function graphOf(): Graph {
  const inputs = [
    input('x', 'i8', [1, LINE], 128),
    input('seed', 'i32', [2], 2 ** 31),
    input('step', 'i32', [1], 2 ** 31),
    input('boxes', 'i16', [1, BOXES, 4], 60),
    input('scores', 'i8', [1, 1, BOXES], 128),
    input('t', 'i8', [3, 1, D], 128),
    input('h0', 'i8', [1, H], 128),
    input('c0', 'i16', [1, H], 32768),
    input('w', 'i32', [1, LINE], 2 ** 20),
  ];
  const cell = (gates: number): Constant[] => [
    constant('i8', [gates * H, D], -127, 127),
    constant('i8', [gates * H, H], -127, 127),
    constant('i32', [gates * H], -4096, 4096),
  ];
  const tables = [constant('i16', [513], 0, 32767), constant('i16', [513], -32767, 32767)];
  const constants = [...cell(4), ...tables, constant('i16', [513], -32767, 32767), ...cell(3)];
  const [lx, lh] = [0, 0];
  const gate = { mx: Int32Array.of(2 ** 26), lx, mh: Int32Array.of(2 ** 26), lh, qh: 7, lo: -128, hi: 127 };
  const first = inputs.length;
  const weight = 2 ** 30;
  const nodes: Node[] = [
    { op: 'argmax', inputs: [0], attrs: { axis: 1, select_last: false } },
    { op: 'topk', inputs: [0], attrs: { axis: 1, k: 5, smallest: true } },
    { op: 'sample', inputs: [0, 1, 2], attrs: { l: 13, m: weight, k: 0, p16: 65536 } },
    { op: 'sample', inputs: [0, 1, 2], attrs: { l: 13, m: weight, k: 40, p16: 40000 } },
    { op: 'cumsum', inputs: [0], attrs: { axis: 1, exclusive: true, reverse: true } },
    { op: 'nms', inputs: [3, 4], attrs: { t15: 9000, threshold: -100, limit: 12 } },
    {
      op: 'lstm',
      inputs: [5, first, first + 1, first + 2, 6, 7, first + 3, first + 4, first + 5],
      attrs: { ...gate, kc: 0, reverse: false },
    },
    {
      op: 'gru',
      inputs: [5, first + 6, first + 7, first + 8, 6, first + 3, first + 4],
      attrs: { ...gate, reverse: true },
    },
  ];
  for (const x of [0, 8])
    nodes.push({
      op: 'softmax',
      inputs: [x],
      attrs: { l: 13, m: weight, o: 15, output: { dtype: 'i16', zp: 0, lo: 0, hi: 32767 }, causal: false, offset: 0 },
    });
  const made = first + constants.length;
  const outputs = Array.from({ length: 15 }, (_, i) => ({ name: `y${i}`, tensor: made + i }));
  return { symbols: [], inputs, constants, nodes, outputs, states: [] };
}

let court: Court;
let truth: Truth;
let trace: Trace;

beforeAll(async () => {
  court = await openCourt();
  const model = loadModel(encodeModel(graphOf()));
  const inputs = randomInputs(model, random, []);
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  trace = (await traceRun(commit(model), session, inputs)).trace;
  session.dispose();
  truth = { trace, inputs, random };
  expect((await publish(court, trace.commitment)).error).toBeUndefined();
});

describe.each(['argmax', 'topk', 'sample', 'softmax', 'cumsum', 'nms', 'lstm', 'gru'] as const)('%s', (op) => {
  it('every step whose terms are many: a lie, and sums that finish to it', async () => {
    const { commitment: c, plan } = trace;
    let long = 0;
    for (let index = c.model.inputs.length; index < trace.length; index++) {
      const { node, name } = c.trace[index]!;
      if (c.model.nodes[node]!.op !== op || trace.tensor(index).data.length === 0) continue;
      if (termsOf(c, index, 0, plan.dims).count <= tileOf(c, index)) continue;
      long++;
      for (const make of [element, forged]) {
        const lie = make(truth, index);
        const outcome = await playLie(court, lie, trace);
        expect(outcome.winner, `${lie.kind} ${op}.${name} ${lie.where}: ${outcome.by}`).toBe('challenger');
        expect(outcome.last, `${lie.kind} ${op}.${name} ${lie.where}`).toBeLessThan(300_000n);
      }
    }
    expect(long).toBeGreaterThan(0);
  });
});
