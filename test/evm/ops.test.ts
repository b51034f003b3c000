/** A lie in every op, settled on chain by its one-element rule. */
import { beforeAll, describe, expect, it } from 'vitest';
import { commit } from '../../src/consensus/commitment.ts';
import { traceRun } from '../../src/consensus/trace.ts';
import { codesOf, RULES } from '../../src/evm/rules.ts';
import { OP_BY_CODE, OPS, type OpName } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomDims, randomInputs } from '../support/differential.ts';
import { fileOf, type Golden, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';
import { type Court, claim, openCourt, play, publish, type Twist } from './game.ts';
import { element, playLie, smart, type Truth } from './lies.ts';

/** The gas that a final proof stays below. */
const FINAL = 300_000n;

let court: Court;
beforeAll(async () => {
  court = await openCourt();
});

const truths = new Map<Golden, Truth>();

/** A run of a golden model that is registered. */
async function truthOf(golden: Golden): Promise<Truth> {
  const known = truths.get(golden);
  if (known !== undefined) return known;
  const model = loadModel(fileOf(golden));
  const random = new Prng(MODELS.indexOf(golden));
  const inputs = randomInputs(model, random, randomDims(model, random));
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  const { trace } = await traceRun(commit(model), session, inputs);
  session.dispose();
  const truth = { trace, inputs, random };
  truths.set(golden, truth);
  await publish(court, trace.commitment);
  return truth;
}

/** Tensors that an op makes in the first golden model that has it and gives them elements. */
async function tensorsOf(op: OpName): Promise<{ readonly truth: Truth; readonly tensors: readonly number[] }> {
  for (const golden of MODELS.filter((g) => g.ops.includes(op))) {
    const truth = await truthOf(golden);
    const { commitment: c } = truth.trace;
    const tensors = c.trace.flatMap(({ node }, i) =>
      node >= 0 && c.model.nodes[node]!.op === op && truth.trace.tensor(i).data.length > 0 ? [i] : [],
    );
    if (tensors.length > 0) return { truth, tensors };
  }
  throw new Error(`no golden model gives ${op} elements`);
}

it('every op of the registry has a rule, and its contract takes its code', () => {
  const codes = [...new Set(Object.values(RULES))].flatMap(codesOf).sort((a, b) => a - b);
  expect(codes).toEqual([...OP_BY_CODE.keys()].sort((a, b) => a - b));
});

describe('an element that is wrong', () => {
  it.each(Object.keys(OPS) as OpName[])('%s', async (op) => {
    const { truth, tensors } = await tensorsOf(op);
    const { trace } = truth;
    const steps = new Map(tensors.map((i) => [trace.commitment.trace[i]!.name, i]));
    for (const [name, index] of steps) {
      const lie = element(truth, index);
      const outcome = await playLie(court, lie, trace);
      expect([outcome.winner, outcome.by], `${op}.${name} ${lie.where}`).toEqual(['challenger', expect.any(String)]);
      expect(outcome.last, `${op}.${name} ${lie.where}`).toBeLessThan(FINAL);
    }
  });
});

describe('recurrent ops', () => {
  it.each(['lstm', 'gru'] as const)('%s: a lie from which all later times follow', async (op) => {
    const { truth, tensors } = await tensorsOf(op);
    let again = 0;
    for (const index of tensors.slice(0, 10)) {
      const lie = smart(truth, index);
      const outcome = await playLie(court, lie, truth.trace);
      expect(outcome.winner, `${op} ${lie.where}: ${outcome.by}`).toBe('challenger');
      expect(outcome.last).toBeLessThan(FINAL);
      again += outcome.log.filter(([name]) => name === 'again').length;
    }
    expect(again).toBeGreaterThan(0);
  });

  it('a challenger begins again eight times, and then no more', async () => {
    const { truth } = await tensorsOf('gru');
    const { id } = await claim(court, truth.trace);
    let asked = 0;
    const twist: Twist = (side, _, move) => {
      if (side === 'asserter' || move?.name !== 'choose') return undefined;
      asked++;
      return { name: 'again', args: [move.args[0]] };
    };
    const outcome = await play(court, id, truth.trace, truth.trace, { twist });
    expect([outcome.winner, outcome.by, asked]).toEqual(['asserter', 'timeout after NotOpen', 9]);
  });
});
