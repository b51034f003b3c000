/** The one-element rules in Solidity against the references: every step of every golden model. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chain, type Deployed } from '../../examples/chain.ts';
import { type Goal, termsOf } from '../../src/consensus/cell.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { computeElement, type ElementProof, proveElement, type Statement } from '../../src/consensus/element.ts';
import { traceRun } from '../../src/consensus/trace.ts';
import { solidityProof, solidityStatement } from '../../src/evm/proof.ts';
import { RULE_ARTIFACTS, RULES, tileOf } from '../../src/evm/rules.ts';
import { OPS } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomDims, randomInputs } from '../support/differential.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';

const rules: Record<string, Deployed> = {};
const seen = new Set<string>();

beforeAll(async () => {
  const chain = await Chain.create();
  const deployer = await chain.party('deployer');
  for (const name of new Set(Object.values(RULES))) rules[name] = await chain.deploy(deployer, RULE_ARTIFACTS[name]);
});

afterAll(() => {
  expect([...seen].sort()).toEqual(Object.keys(OPS).sort());
});

/** Ops that check a claimed element. */
const CHECKED: ReadonlySet<string> = new Set(['topk', 'argmax', 'argmin', 'sample', 'nms']);

function fits(total: bigint): boolean {
  return Number.isSafeInteger(Number(total));
}

const COMBINE = { sum: 0, max: 1, min: 2 } as const;

describe.each(MODELS.map((g, i) => [g.name, g, i] as const))('%s', (_, g, seed) => {
  it('elements, parts and finishes', async () => {
    const model = loadModel(fileOf(g));
    const commitment = commit(model);
    const r = new Prng(seed);
    const inputs = randomInputs(model, r, randomDims(model, r));
    const session = await createSession(model, { backend: 'reference', mode: 'trace' });
    const { trace } = await traceRun(commitment, session, inputs);
    const statement: Statement = {
      hash: 'keccak256',
      modelRoot: commitment.modelRoot,
      nodes: commitment.leaves.length,
      traceRoot: trace.root,
      traceLength: trace.length,
      dims: trace.plan.dims,
    };
    const args = (p: ElementProof): unknown[] => [solidityStatement(statement), solidityProof(p)];
    for (let index = model.inputs.length; index < trace.length; index++) {
      const { op } = model.nodes[commitment.trace[index]!.node]!;
      const rule = rules[RULES[op]]!;
      const tensor = trace.tensor(index);
      if (tensor.data.length === 0) continue;
      seen.add(op);
      const element = r.edgy(0, tensor.data.length - 1);
      const own = tensor.data[element]!;
      const where = `${op}, tensor ${index}, element ${element}`;
      const { count, combine } = termsOf(commitment, index, element, statement.dims);
      const prove = (goal: Goal): ElementProof => proveElement(trace, index, element, goal);
      const leaf = solidityProof(prove({ kind: 'whole' })).leaf;
      const terms = await rule.call('terms', [leaf, BigInt(index), BigInt(element), statement.dims.map(BigInt)]);
      const tile = count === 0 ? (terms.value as bigint[])[2]! : BigInt(tileOf(commitment, index));
      expect(terms.value, where).toEqual([BigInt(count), BigInt(COMBINE[combine]), tile]);

      /** What parts and their combination give for a claim, and the last proof; each held against the reference. */
      const settle = async (claim: number): Promise<readonly [value: bigint, total: bigint, proof: ElementProof]> => {
        let total = 0n;
        if (count > 0) {
          const cut = count === 1 ? 1 : r.edgy(1, count - 1);
          const parts: bigint[] = [];
          for (const [from, to] of [
            [0, cut],
            [cut, count],
          ] as const) {
            if (from === to) continue;
            const goal: Goal = { kind: 'part', from, to, claim };
            const made = await rule.call('part', [BigInt(claim), ...args(prove(goal)), BigInt(from), BigInt(to)]);
            expect([made.error, made.value], where).toEqual([
              undefined,
              BigInt(computeElement(trace, index, element, goal)),
            ]);
            parts.push(made.value as bigint);
          }
          const join = {
            sum: (a: bigint, b: bigint) => a + b,
            max: (a: bigint, b: bigint) => (a > b ? a : b),
            min: (a: bigint, b: bigint) => (a < b ? a : b),
          };
          total = parts.reduce(join[combine]);
        }
        const goal: Goal = { kind: 'finish', total: fits(total) ? Number(total) : total, claim };
        const proof = prove(goal);
        const done = await rule.call('finish', [BigInt(claim), ...args(proof), total]);
        expect([done.error, done.value], where).toEqual([
          undefined,
          BigInt(computeElement(trace, index, element, goal)),
        ]);
        if (count <= Number(tile)) {
          const whole = await rule.call('whole', [BigInt(claim), ...args(prove({ kind: 'whole', claim }))]);
          expect([whole.error, whole.value], where).toEqual([undefined, done.value]);
        }
        return [done.value as bigint, total, proof];
      };
      const [value, total, proof] = await settle(own);
      expect(value, where).toBe(BigInt(own));
      if (CHECKED.has(op))
        for (const claim of new Set([own + r.int(1, 3), own - 1, -2])) {
          const [other] = await settle(claim);
          // The maximum and the sums of sample are computed, whatever is claimed.
          expect(other, `${where}, claim ${claim}`).not.toBe(BigInt(claim));
        }

      const forged = solidityProof(proof);
      const t = r.below(Math.max(1, forged.tensors.length));
      if (forged.tensors.length > 0) {
        const o = forged.tensors[t]!;
        const chunks = o.chunks.map((c, i) =>
          i === 0 ? (`0x${(c[2] === 'f' ? '0' : 'f') + c.slice(3)}` as const) : c,
        );
        const bad = { ...forged, tensors: forged.tensors.map((u, i) => (i === t ? { ...o, chunks } : u)) };
        expect(
          (await rule.call('finish', [BigInt(own), solidityStatement(statement), bad, total])).error,
          where,
        ).toBeDefined();
      }
      const leafBad = { ...forged, leaf: `${forged.leaf.slice(0, -2)}${forged.leaf.endsWith('00') ? '01' : '00'}` };
      expect((await rule.call('finish', [BigInt(own), solidityStatement(statement), leafBad, total])).error).toBe(
        'BadLeaf',
      );
    }
    session.dispose();
  });
});
