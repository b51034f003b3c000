/** Disputes over mnist-cnn, played by both bots: lies lose, honest claims stand. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Commitment, commit } from '../../src/consensus/commitment.ts';
import { Trace, type TraceTensor, traceRun } from '../../src/consensus/trace.ts';
import type { TypedArray } from '../../src/core/tensor.ts';
import type { Model } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { type Court, claim, openCourt, play, publish } from './game.ts';

let court: Court;
let model: Model;
let commitment: Commitment;
let honest: Trace;

/** A trace of which one element is another. */
class Lie extends Trace {
  readonly #at: number;
  readonly #tensor: TraceTensor;

  constructor(trace: Trace, values: ReadonlyMap<number, TypedArray>, at: number, element: number, value: number) {
    super(trace.commitment, trace.plan, values);
    const { shape, data } = trace.tensor(at);
    const changed = data.slice();
    changed[element] = value;
    this.#at = at;
    this.#tensor = { shape, data: changed as TraceTensor['data'] };
    this.honest = trace;
  }
  readonly honest: Trace;
  override tensor(index: number): TraceTensor {
    return index === this.#at ? this.#tensor : this.honest.tensor(index);
  }
}

beforeAll(async () => {
  court = await openCourt();
  model = loadModel(new Uint8Array(readFileSync(new URL('../golden/models/mnist-cnn.sbm', import.meta.url))));
  commitment = commit(model);
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  honest = (await traceRun(commitment, session, randomInputs(model, new Prng(5), []))).trace;
  const registered = await publish(court, commitment);
  expect(registered.error).toBeUndefined();
});

describe('lies', () => {
  it('one element anywhere is found', async () => {
    const r = new Prng(11);
    for (let i = 0; i < 12; i++) {
      const index = r.edgy(model.inputs.length, honest.length - 1);
      const { data } = honest.tensor(index);
      const element = r.below(data.length);
      const lie = new Lie(honest, new Map(), index, element, data[element]! === 0 ? 1 : 0);
      const { id } = await claim(court, lie);
      const outcome = await play(court, id, lie, honest);
      console.log(index, element, outcome);
      expect(outcome.winner, `tensor ${index}, element ${element}: ${outcome.by}`).toBe('challenger');
    }
  });
});
