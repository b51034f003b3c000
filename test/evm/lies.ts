/** Claims that are false: traces with lies in them, and asserters who defend them as well as they can. */

import { termsOf } from '../../src/consensus/cell.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { leafHash, treeOfChunks, treeOver, WORD } from '../../src/consensus/merkle.ts';
import { type Trace, type TraceTensor, traceBytes, traceRun } from '../../src/consensus/trace.ts';
import { tileOf } from '../../src/evm/rules.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Constant, Graph, Node } from '../../src/graph/ir.ts';
import type { Inputs } from '../../src/runtime/inputs.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import type { Prng } from '../support/prng.ts';
import { forgedSums } from './forge.ts';
import { type Court, claim, type Outcome, play, type Twist } from './game.ts';
import { Liar, recompute, withElement } from './liar.ts';

/** A false claim, and how it is defended and attacked. */
export interface Lie {
  readonly kind: string;
  /** What is wrong, for a report. */
  readonly where: string;
  readonly op: string;
  readonly claimed: Trace;
  readonly roots?: Partial<Record<'inputRoot' | 'outputRoot' | 'root', Uint8Array>>;
  /** Output that is challenged, where it is not the trace. */
  readonly output?: number;
  readonly twist?: Twist;
}

/** What lies are made from. */
export interface Truth {
  readonly trace: Trace;
  /** What the trace was made from. */
  readonly inputs: Inputs;
  readonly random: Prng;
}

function opOf(trace: Trace, index: number): string {
  const { node, tensor, name } = trace.commitment.trace[index]!;
  if (node < 0) return 'input';
  const { op } = trace.commitment.model.nodes[node]!;
  return tensor === undefined ? `${op}.${name}` : op;
}

/** A tensor behind the inputs that is not empty. */
function pickTensor({ trace, random }: Truth): number {
  const first = trace.commitment.model.inputs.length;
  for (;;) {
    const index = random.int(first, trace.length - 1);
    if (trace.tensor(index).data.length > 0) return index;
  }
}

/** A value that an element of a tensor might have and has not. */
function otherValue({ trace, random }: Truth, index: number, old: number): number {
  const id = trace.commitment.trace[index]!.tensor;
  const { lo, hi } = id === undefined ? { lo: -(2 ** 20), hi: 2 ** 20 } : trace.plan.tensors[id]!;
  if (lo === hi) return old === 0 ? 1 : 0;
  for (;;) {
    const v = random.int(lo, hi);
    if (v !== old) return v;
  }
}

// ---- lies in one place

/** One element is another. */
export function element(truth: Truth, index: number = pickTensor(truth)): Lie {
  const { trace, random } = truth;
  const t = trace.tensor(index);
  const at = random.below(t.data.length);
  const changed = new Map([[index, withElement(t, at, otherValue(truth, index, t.data[at]!))]]);
  return { kind: 'element', op: opOf(trace, index), where: `${index}[${at}]`, claimed: new Liar(trace, changed) };
}

/** One element is off by one, as another rounding would have it. */
export function rounding(truth: Truth, index: number = pickTensor(truth)): Lie {
  const { trace, random } = truth;
  const t = trace.tensor(index);
  const at = random.below(t.data.length);
  const id = trace.commitment.trace[index]!.tensor;
  const top = id === undefined ? Number.POSITIVE_INFINITY : trace.plan.tensors[id]!.hi;
  const old = t.data[at]!;
  const changed = new Map([[index, withElement(t, at, old < top ? old + 1 : old - 1)]]);
  return { kind: 'rounding', op: opOf(trace, index), where: `${index}[${at}]`, claimed: new Liar(trace, changed) };
}

/** A whole tensor is another. */
export function wholeTensor(truth: Truth, index: number = pickTensor(truth)): Lie {
  const { trace } = truth;
  const t = trace.tensor(index);
  const data = t.data.map((v) => otherValue(truth, index, v)) as TraceTensor['data'];
  const claimed = new Liar(trace, new Map([[index, { shape: t.shape, data }]]));
  return { kind: 'tensor', op: opOf(trace, index), where: `${index}`, claimed };
}

/** One element is another, and all that follows is computed from it. */
export function smart(truth: Truth, index: number = pickTensor(truth)): Lie {
  const { trace, random } = truth;
  const t = trace.tensor(index);
  const at = random.below(t.data.length);
  const changed = recompute(trace, index, withElement(t, at, otherValue(truth, index, t.data[at]!)));
  return { kind: 'consequent', op: opOf(trace, index), where: `${index}[${at}]`, claimed: new Liar(trace, changed) };
}

/** As `smart`, where an element has terms: its asserter splits them into parts that finish to the claim, of which some are wrong. */
export function forged(truth: Truth, index?: number): Lie {
  const { trace, random } = truth;
  const long = (): number[] =>
    trace.commitment.trace.flatMap((e, i) => {
      const some = e.node >= 0 && trace.tensor(i).data.length > 0;
      return some && termsOf(trace.commitment, i, 0, trace.plan.dims).count > tileOf(trace.commitment, i) ? [i] : [];
    });
  const lie = element(truth, index ?? random.pick(long()));
  return { ...lie, kind: 'sums', twist: forgeSums(lie.claimed, truth.random) };
}

/** Sums that finish to what is claimed; which of them is wrong is left to chance. */
function forgeSums(claimed: Trace, random: Prng): Twist {
  return (side, game, move) =>
    side === 'asserter' && move?.name === 'postSums'
      ? forgedSums(claimed, game, move, (count) => random.below(count))
      : undefined;
}

// ---- other models, other inputs

/** What differs between two traces. */
function differences(honest: Trace, other: Trace): Map<number, TraceTensor> {
  const changed = new Map<number, TraceTensor>();
  for (let i = 0; i < honest.length; i++) {
    const [t, old] = [other.tensor(i), honest.tensor(i).data];
    if (t.data.some((v, k) => v !== old[k])) changed.set(i, t);
  }
  return changed;
}

/** The trace of another graph of the same shape, as a claim about this one; undefined if nothing differs. */
async function runOf({ trace, inputs }: Truth, graph: Graph): Promise<Liar | undefined> {
  const model = loadModel(encodeModel(graph));
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  const other = await traceRun(commit(model, trace.commitment.hash), session, inputs);
  session.dispose();
  const changed = differences(trace, other.trace);
  return changed.size === 0 ? undefined : new Liar(trace, changed);
}

/** Operand of conv2d and dense by what it holds. */
const OPERAND = { weight: 1, bias: 2 } as const;

/** A run with one weight, one bias or one multiplier changed. */
export async function otherModel(truth: Truth, kind: 'weight' | 'bias' | 'multiplier'): Promise<Lie> {
  const { trace, random } = truth;
  const { model } = trace.commitment;
  const nodes = model.nodes.flatMap((n, i) => (n.op === 'conv2d' || n.op === 'dense' ? [i] : []));
  for (;;) {
    const at = random.pick(nodes);
    const n = model.nodes[at]!;
    const graph =
      kind === 'multiplier' ? otherMultiplier(truth, at, n) : otherConstant(truth, n.inputs[OPERAND[kind]]!);
    const claimed = graph && (await runOf(truth, graph));
    if (claimed) return { kind, op: n.op, where: `node ${at}`, claimed };
  }
}

function otherConstant({ trace, random }: Truth, id: number): Graph | undefined {
  const { model } = trace.commitment;
  const at = id - model.inputs.length;
  const constant = model.constants[at];
  if (constant === undefined) return undefined;
  const data = constant.data.slice();
  const k = random.below(data.length);
  data[k] = constant.dtype === 'i8' ? (data[k]! > 0 ? -100 : 100) : data[k]! + random.int(1, 5000);
  return { ...model, constants: model.constants.with(at, { ...constant, data } as Constant) };
}

function otherMultiplier({ trace }: Truth, at: number, n: Node): Graph | undefined {
  const { model } = trace.commitment;
  const stage = n.attrs['stage'] as { readonly m: Int32Array } | undefined;
  if (stage === undefined) return undefined;
  const m = stage.m.map((v) => v - (v >> 7));
  return { ...model, nodes: model.nodes.with(at, { ...n, attrs: { ...n.attrs, stage: { ...stage, m } } }) };
}

/** A run on other inputs, claimed to be one on these. */
export async function otherInput(truth: Truth): Promise<Lie> {
  const { trace, random } = truth;
  const { model } = trace.commitment;
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  let changed = new Map<number, TraceTensor>();
  while (changed.size === 0) {
    const other = await traceRun(trace.commitment, session, randomInputs(model, random, trace.plan.dims));
    changed = differences(trace, other.trace);
  }
  session.dispose();
  const claimed = new Liar(trace, changed);
  return { kind: 'input', op: 'input', where: '0', claimed, roots: { inputRoot: trace.inputRoot } };
}

// ---- roots

/** A hash of which nobody knows what it is of. */
function garbage(random: Prng): Uint8Array {
  return Uint8Array.from({ length: WORD }, () => random.below(256));
}

/** A trace root that nobody can open. */
export function garbageTrace({ trace, random }: Truth): Lie {
  const claimed = new Liar(trace, new Map());
  return { kind: 'garbage trace root', op: '', where: '', claimed, roots: { root: garbage(random) } };
}

/** The root of one tensor is a hash that nobody can open; with `leaf`, its leaf in the trace is. */
export function garbageTensor(truth: Truth, leaf: boolean): Lie {
  const { trace, random } = truth;
  const index = pickTensor(truth);
  const claimed = new Liar(trace, new Map());
  if (leaf) claimed.instead.set(-1, treeOver(trace.tree.hash, leavesOf(trace, index, garbage(random))));
  else claimed.instead.set(index, { ...trace.tensorTree(index), root: garbage(random) });
  const kind = leaf ? 'garbage trace leaf' : 'garbage tensor root';
  return { kind, op: opOf(trace, index), where: `${index}`, claimed };
}

/** Leaves of a trace of which one is another, maybe behind the last. */
function leavesOf(trace: Trace, index: number, leaf: Uint8Array): Uint8Array[] {
  const { hash } = trace.commitment;
  const leaves = trace.commitment.trace.map((_, i) => leafHash(hash, trace.tensorTree(i).root));
  while (leaves.length < index) leaves.push(new Uint8Array(WORD));
  leaves[index] = leaf;
  return leaves;
}

/** A leaf behind the last tensor of a trace; undefined where a trace has no room for one. */
export function tracePadding({ trace, random }: Truth): Lie | undefined {
  const room = 2 ** (trace.tree.levels.length - 1);
  if (room === trace.length) return undefined;
  const index = random.int(trace.length, room - 1);
  const claimed = new Liar(trace, new Map());
  claimed.instead.set(-1, treeOver(trace.tree.hash, leavesOf(trace, index, garbage(random))));
  return { kind: 'trace padding', op: '', where: `leaf ${index}`, claimed };
}

/** Bytes behind the end of a tensor that are not 0: in its last chunk, or (`leaf`) in a chunk more; undefined where no tensor has room. */
export function tensorPadding(truth: Truth, leaf: boolean): Lie | undefined {
  const { trace, random } = truth;
  const { commitment: c } = trace;
  const fits = c.trace.flatMap((e, i) => {
    const bytes = traceBytes(trace.tensor(i)).length;
    const chunks = Math.ceil(bytes / WORD);
    return e.node >= 0 && bytes > 0 && (leaf ? chunks & (chunks - 1) : bytes % WORD) !== 0 ? [i] : [];
  });
  if (fits.length === 0) return undefined;
  const index = random.pick(fits);
  const { shape, data } = trace.tensor(index);
  const each = data.BYTES_PER_ELEMENT;
  const used = Math.ceil((data.length * each) / WORD) * (WORD / each);
  const end = leaf ? used + WORD / each : used;
  const longer = new (data.constructor as new (n: number) => typeof data)(end);
  longer.set(data);
  longer[leaf ? random.int(used, end - 1) : random.int(data.length, used - 1)] = 1;
  const claimed = new Liar(trace, new Map([[index, { shape, data: longer }]]));
  return { kind: leaf ? 'padding leaf' : 'padding bytes', op: opOf(trace, index), where: `${index}`, claimed };
}

/** A tensor of another length: its tree is one level deeper, or one level less deep. */
export function otherLength(truth: Truth, longer: boolean): Lie {
  const { trace } = truth;
  const { hash } = trace.commitment;
  let index = pickTensor(truth);
  while (trace.tensorTree(index).levels.length < 2) index = pickTensor(truth);
  const { shape, data } = trace.tensor(index);
  const count = longer ? 2 * data.length : data.length >> 1;
  const other = data.slice(0, count);
  const whole = new (data.constructor as new (n: number) => typeof data)(count);
  whole.set(other);
  const claimed = new Liar(trace, new Map([[index, { shape, data: whole }]]));
  const own = treeOfChunks(hash, traceBytes({ shape, data: whole }));
  const depth = trace.tensorTree(index).levels.length;
  const levels = longer ? own.levels.slice(-depth) : [new Uint8Array(), ...own.levels];
  claimed.instead.set(index, { ...own, levels });
  return { kind: longer ? 'longer tensor' : 'shorter tensor', op: opOf(trace, index), where: `${index}`, claimed };
}

/** An output that is not the trace's. */
export function otherOutput({ trace, random }: Truth): Lie {
  const { hash, model, traceIndex } = trace.commitment;
  const output = random.below(model.outputs.length);
  const roots = model.outputs.map((o, j) =>
    leafHash(hash, j === output ? garbage(random) : trace.tensorTree(traceIndex.get(o.tensor)!).root),
  );
  const outputRoot = treeOver(hash, roots).root;
  const claimed = new Liar(trace, new Map());
  return { kind: 'output', op: '', where: `output ${output}`, claimed, roots: { outputRoot }, output };
}

// ---- all kinds

type Maker = (truth: Truth) => Lie | undefined | Promise<Lie | undefined>;

/** Every kind of lie; the commonest several times. */
export const LIES: readonly Maker[] = [
  (t) => element(t),
  (t) => rounding(t),
  (t) => smart(t),
  (t) => forged(t),
  (t) => wholeTensor(t),
  (t) => otherModel(t, 'weight'),
  (t) => otherModel(t, 'bias'),
  (t) => otherModel(t, 'multiplier'),
  otherInput,
  otherOutput,
  garbageTrace,
  (t) => garbageTensor(t, false),
  (t) => garbageTensor(t, true),
  tracePadding,
  (t) => tensorPadding(t, false),
  (t) => tensorPadding(t, true),
  (t) => otherLength(t, true),
  (t) => otherLength(t, false),
];

/** Claims a lie and plays it against an honest challenger; the asserter's gas with that of the claim. */
export async function playLie(court: Court, lie: Lie, honest: Trace): Promise<Outcome> {
  const { id, gas } = await claim(court, lie.claimed, lie.roots ?? {});
  const outcome = await play(court, id, lie.claimed, honest, {
    ...(lie.output === undefined ? {} : { output: lie.output }),
    ...(lie.twist === undefined ? {} : { twist: lie.twist }),
    ...(lie.roots?.root === undefined ? {} : { traceRoot: lie.roots.root }),
  });
  return { ...outcome, asserterGas: outcome.asserterGas + gas };
}
