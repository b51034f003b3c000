/** Headers on a chain: what is kept of them, false ones that anyone refutes, claims at dims. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Sent } from '../../examples/chain.ts';
import { type Commitment, commit } from '../../src/consensus/commitment.ts';
import { computeElement, proveElement } from '../../src/consensus/element.ts';
import { encodeHeader, type Header, headerHash, headerOf } from '../../src/consensus/header.ts';
import { decodeLeaf, encodeLeaf, type NodeLeaf } from '../../src/consensus/leaf.ts';
import { leafHash, openLeaves, treeOver } from '../../src/consensus/merkle.ts';
import { Trace, traceRun } from '../../src/consensus/trace.ts';
import type { TypedArray } from '../../src/core/tensor.ts';
import { solidityProof, solidityStatement, toHex } from '../../src/evm/proof.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Model } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createPlan } from '../../src/runtime/plan.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';
import { denseGraph } from '../support/small.ts';
import { BOND, type Court, DELAY, openCourt, publish } from './game.ts';
import { Liar } from './liar.ts';

let court: Court;
/** A chain of dense and two reshapes. */
let chain: Model;

beforeAll(async () => {
  court = await openCourt();
  const g = denseGraph();
  g.inputs[0] = { ...g.inputs[0]!, lo: -100, hi: 90 };
  g.nodes.push(
    { op: 'reshape', inputs: [3], attrs: { shape: [4] } },
    { op: 'reshape', inputs: [4], attrs: { shape: [1, 4] } },
  );
  g.outputs[0] = { name: 'y', tensor: 5 };
  chain = loadModel(encodeModel(g));
});

/** A commitment of which one leaf is another, and the header that goes with it. */
function falsified(c: Commitment, node: number, edit: (leaf: NodeLeaf) => NodeLeaf): Commitment {
  const leaves = c.leaves.with(node, encodeLeaf(edit(decodeLeaf(c.leaves[node]!))));
  const tree = treeOver(
    c.hash,
    leaves.map((l) => leafHash(c.hash, l)),
  );
  return { ...c, leaves, tree, modelRoot: tree.root };
}

/** Registers a header and gives its hash. */
async function register(header: Header): Promise<string> {
  const sent = await court.registry.send(court.asserter, 'register', [toHex(encodeHeader(header))], BOND);
  expect(sent.error).toBeUndefined();
  expect(sent.events[0]!.args['headerHash']).toBe(toHex(headerHash(header)));
  return toHex(headerHash(header));
}

/** Tries to show that the order of a leaf and the next is false. */
function refuteOrder(hash: string, c: Commitment, node: number): Promise<Sent> {
  const at = (i: number): [string, string[]] =>
    i < c.leaves.length ? [toHex(c.leaves[i]!), openLeaves(c.tree, [i]).siblings.map(toHex)] : ['0x', []];
  return court.registry.send(court.challenger, 'refuteOrder', [hash, node, ...at(node), ...at(node + 1)]);
}

async function traceOf(c: Commitment, model: Model, dims: readonly number[] = []): Promise<Trace> {
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  const { trace } = await traceRun(c, session, randomInputs(model, new Prng(4), dims));
  session.dispose();
  return trace;
}

/** Tries to show an interval false by an element of a trace. */
function refuteBound(
  hash: string,
  c: Commitment,
  trace: Trace,
  index: number,
  dims = trace.plan.dims,
  off = 0n,
): Promise<Sent> {
  const { modelRoot, hash: name } = c;
  const header = headerOf(c);
  const s = solidityStatement({
    hash: name,
    modelRoot,
    nodes: header.nodes,
    traceLength: header.traceLength,
    dims,
    traceRoot: trace.root,
  });
  const value = BigInt(computeElement(trace, index, 0));
  const proof = solidityProof(proveElement(trace, index, 0));
  return court.registry.send(court.challenger, 'refuteBound', [hash, value + off, s, proof]);
}

describe('headers', () => {
  it('is kept once, for a bond that comes back when it matures', async () => {
    const header = headerOf(commit(chain));
    const words = toHex(encodeHeader(header));
    const { registry, asserter, challenger, chain: c } = court;
    for (const value of [0n, BOND - 1n, BOND + 1n])
      expect((await registry.send(asserter, 'register', [words], value)).error).toBe('BadBond');
    const hash = await register(header);
    expect((await registry.send(challenger, 'register', [words], BOND)).error).toBe('Known');
    expect((await registry.send(challenger, 'release', [hash])).error).toBe('BadTime');
    expect((await registry.call('isMature', [hash])).value).toBe(false);
    c.advance(DELAY);
    expect((await registry.call('isMature', [hash])).value).toBe(true);
    for (let i = 0; i < 2; i++) expect((await registry.send(challenger, 'release', [hash])).error).toBeUndefined();
    expect((await registry.call('balances', [asserter.address.toString()])).value).toBe(BOND);
    expect((await registry.send(asserter, 'withdraw', [])).error).toBeUndefined();
    expect((await registry.send(asserter, 'withdraw', [])).error).toBe('NoPayment');
    expect((await refuteOrder(hash, commit(chain), 0)).error).toBe('BadTime');
  });

  it('words that are no header are refused', async () => {
    const words = encodeHeader(headerOf(commit(chain)));
    for (const [at, value] of [
      [0, 2],
      [1, 1],
      [5, 255],
      [11, 5],
    ] as const) {
      const other = words.slice();
      other[32 * at + 31] = value;
      const sent = await court.registry.send(court.asserter, 'register', [toHex(other)], BOND);
      expect(sent.error, `word ${at}`).toBe('BadHeader');
    }
    for (const part of [words.slice(0, 31), words.slice(0, 320), new Uint8Array()])
      expect((await court.registry.send(court.asserter, 'register', [toHex(part)], BOND)).error).toBe('BadHeader');
    const symbolic = loadModel(fileOf(MODELS.find((m) => m.runs[0]!.dims.length === 1)!));
    const header = headerOf(commit(symbolic));
    for (const symbols of [[{ min: 0, max: 4 }], [{ min: 5, max: 4 }], [{ min: 1, max: 2 ** 31 }]]) {
      const sent = await court.registry.send(
        court.asserter,
        'register',
        [toHex(encodeHeader({ ...header, symbols }))],
        BOND,
      );
      expect(sent.error).toBe('BadHeader');
    }
  });
});

describe('hashes', () => {
  it('of the golden models are the frozen ones', async () => {
    const file = new URL('../golden/consensus/receipts.json', import.meta.url);
    const frozen = JSON.parse(readFileSync(file, 'utf8')) as { name: string; hash: string; headerHash: string }[];
    for (const golden of MODELS) {
      const { headerHash: expected } = frozen.find((v) => v.name === golden.name && v.hash === 'keccak256')!;
      expect(await register(headerOf(commit(loadModel(fileOf(golden)))))).toBe(`0x${expected}`);
    }
  });
});

describe('false headers', () => {
  const moved =
    (by: number) =>
    (leaf: NodeLeaf): NodeLeaf => ({
      ...leaf,
      steps: leaf.steps.map((s) => ({ ...s, index: s.index + by })),
    });
  const reads =
    (index: number) =>
    (leaf: NodeLeaf): NodeLeaf => ({
      ...leaf,
      operands: leaf.operands.map((o) => (o.source.kind === 'trace' ? { ...o, source: { kind: 'trace', index } } : o)),
    });

  it('whose trace has another order', async () => {
    const c = commit(chain);
    const cases: [string, Commitment, Partial<Header>, number][] = [
      ['a gap', falsified(c, 1, moved(1)), {}, 0],
      ['two in one place', falsified(c, 1, moved(-1)), {}, 0],
      ['a node that reads itself', falsified(c, 1, reads(2)), {}, 1],
      ['a node that reads what comes later', falsified(c, 0, reads(3)), {}, 0],
      ['a longer trace', c, { traceLength: 5 }, 2],
      ['a shorter trace', c, { traceLength: 3 }, 2],
      ['more inputs', c, { inputs: 2 }, 0],
    ];
    for (const [what, other, change, node] of cases) {
      const hash = await register({ ...headerOf(other), ...change });
      const before = (await court.registry.call('balances', [court.challenger.address.toString()])).value as bigint;
      expect((await refuteOrder(hash, other, node)).error, what).toBeUndefined();
      const after = (await court.registry.call('balances', [court.challenger.address.toString()])).value as bigint;
      expect(after - before, what).toBe(BOND);
      expect((await court.registry.call('get', [hash])).error, what).toBe('UnknownModel');
      expect((await refuteOrder(hash, other, node)).error, what).toBe('UnknownModel');
    }
  });

  it('a right one is not refuted by its order', async () => {
    const c = commit(chain);
    const other = falsified(c, 2, (leaf) => leaf);
    const hash = await register({ ...headerOf(other), peakBytes: 1 });
    for (const node of [0, 1, 2]) expect((await refuteOrder(hash, c, node)).error).toBe('NoFault');
    expect((await refuteOrder(hash, falsified(c, 1, moved(1)), 0)).error).toBe('BadLeaf');
    expect((await refuteOrder(hash, c, 3)).error).toBe('BadLeaf');
  });

  it('whose interval is false', async () => {
    const c = commit(chain);
    const honest = await traceOf(c, chain);
    const narrow = falsified(c, 0, (leaf) => ({ ...leaf, steps: leaf.steps.map((s) => ({ ...s, lo: 126, hi: 126 })) }));
    const hash = await register(headerOf(narrow));
    const claimed = new Trace(narrow, createPlan({ model: chain, dims: [] }), valuesOf(honest));
    expect((await refuteBound(hash, narrow, claimed, 1)).error).toBeUndefined();
    expect((await court.registry.call('get', [hash])).error).toBe('UnknownModel');
  });

  it('a right one is not refuted by an element, not by operands outside their intervals', async () => {
    const c = commit(chain);
    const honest = await traceOf(c, chain);
    const hash = await register({ ...headerOf(c), peakBytes: 2 });
    for (let i = 1; i < honest.length; i++) expect((await refuteBound(hash, c, honest, i)).error).toBe('NoFault');
    expect((await refuteBound(hash, c, honest, 1, [], 1000n)).error).toBe('NoFault');
    const { shape, data } = honest.tensor(0);
    const outside = new Liar(honest, new Map([[0, { shape, data: data.map(() => 127) as TypedArray }]]));
    expect((await refuteBound(hash, c, outside, 1)).error).toBe('revert');
    expect((await refuteBound(hash, c, honest, 1, [1])).error).toBe('BadDims');
    const another = { ...c, modelRoot: new Uint8Array(32) };
    expect((await refuteBound(hash, another, honest, 1)).error).toBe('BadLeaf');
  });
});

function valuesOf(trace: Trace): Map<number, TypedArray> {
  return new Map(
    trace.commitment.trace.flatMap((e, i) =>
      e.tensor === undefined ? [] : [[e.tensor, trace.tensor(i).data as TypedArray] as const],
    ),
  );
}

describe('claims', () => {
  it('name a value of each symbol, inside its range', async () => {
    const golden = MODELS.find((m) => m.runs[0]!.dims.length === 2 && m.ops.includes('softmax'))!;
    const model = loadModel(fileOf(golden));
    const c = commit(model);
    await publish(court, c);
    const [a, b] = model.symbols as [(typeof model.symbols)[0], (typeof model.symbols)[0]];
    const hash = toHex(headerHash(headerOf(c)));
    const root = toHex(new Uint8Array(32).fill(1));
    const wrong = [[], [a.min], [a.min - 1, b.min], [a.min, b.max + 1], [a.min, b.min, 1], [2 ** 40, b.min], [0, 0]];
    for (const dims of wrong) {
      const sent = await court.dispute.send(court.asserter, 'assertRun', [hash, root, root, root, dims], BOND);
      expect(sent.error, String(dims)).toBe('BadDims');
    }
    for (const dims of [
      [a.min, b.min],
      [a.max, b.max],
    ]) {
      const sent = await court.dispute.send(court.asserter, 'assertRun', [hash, root, root, root, dims], BOND);
      expect(sent.error, String(dims)).toBeUndefined();
    }
  });
});
