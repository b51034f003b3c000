/** Commitments, receipts and proofs of one element, on every golden model and on every backend. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProofError } from '../../src/consensus/cell.ts';
import { commit, FACTS } from '../../src/consensus/commitment.ts';
import { proveElement, type Statement, verifyElement } from '../../src/consensus/element.ts';
import { encodeReceipt, headerOf, receiptOf } from '../../src/consensus/header.ts';
import type { HashName } from '../../src/consensus/merkle.ts';
import { type Trace, traceRun } from '../../src/consensus/trace.ts';
import { OPS } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomDims, randomInputs } from '../support/differential.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';

function statementOf(trace: Trace): Statement {
  const { commitment } = trace;
  return {
    hash: commitment.hash,
    modelRoot: commitment.modelRoot,
    nodes: commitment.leaves.length,
    traceRoot: trace.root,
    traceLength: trace.length,
    dims: trace.plan.dims,
  };
}

const proved = new Set<string>();

it('leaves hold every fact that a reference reads, and no other', () => {
  const folder = join(import.meta.dirname, '../../src/ops/reference');
  const text = readdirSync(folder).map((f) => readFileSync(join(folder, f), 'utf8'));
  const read = text.flatMap((t) => [...t.matchAll(/\bc\.facts(?:\['(\w+)'\]|\.(\w+))/g)].map((m) => m[1] ?? m[2]!));
  expect([...new Set(read)].sort()).toEqual([...FACTS].sort());
});

describe.each(MODELS.map((g, i) => [g.name, g, i] as const))('%s', (_, g, seed) => {
  it('the same receipt on every backend; elements follow from their proofs, and from no other', async () => {
    const hash: HashName = seed % 2 === 0 ? 'keccak256' : 'sha256';
    const model = loadModel(fileOf(g));
    const commitment = commit(model, hash);
    const header = headerOf(commitment);
    const r = new Prng(seed);
    const inputs = randomInputs(model, r, randomDims(model, r));
    const traces: Trace[] = [];
    for (const backend of ['reference', 'wasm'] as const) {
      const session = await createSession(model, { backend, mode: 'trace' });
      traces.push((await traceRun(commitment, session, inputs)).trace);
      session.dispose();
    }
    const [trace, other] = traces as [Trace, Trace];
    expect(encodeReceipt(receiptOf(header, other))).toEqual(encodeReceipt(receiptOf(header, trace)));

    const statement = statementOf(trace);
    for (let index = model.inputs.length; index < trace.length; index++) {
      const tensor = trace.tensor(index);
      if (tensor.data.length === 0) continue;
      const entry = commitment.trace[index]!;
      proved.add(`${model.nodes[entry.node]!.op}/${entry.name}`);
      for (let n = 0; n < 3; n++) {
        const element = r.edgy(0, tensor.data.length - 1);
        const proof = proveElement(trace, index, element);
        expect(verifyElement(statement, proof), `tensor ${index}, element ${element}`).toBe(tensor.data[element]);
        for (const t of proof.tensors) {
          const chunks = t.chunks.slice();
          chunks[r.below(chunks.length)]! ^= 1 << r.below(8);
          const forged = { ...proof, tensors: proof.tensors.map((u) => (u === t ? { ...t, chunks } : u)) };
          expect(() => verifyElement(statement, forged)).toThrow(ProofError);
          const dropped = { ...proof, tensors: proof.tensors.filter((u) => u !== t) };
          expect(() => verifyElement(statement, dropped)).toThrow(ProofError);
        }
        const leaf = proof.leaf.slice();
        leaf[r.below(leaf.length)]! ^= 1;
        expect(() => verifyElement(statement, { ...proof, leaf })).toThrow(ProofError);
      }
    }
  });
});

it('every op is among them', () => {
  expect([...new Set([...proved].map((p) => p.split('/')[0]!))].sort()).toEqual(Object.keys(OPS).sort());
});
