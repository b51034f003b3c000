/**
 * Headers and receipts: what a chain registers and stores (spec/40-consensus.md §2).
 * @module
 */
import { COST_CLASSES, type CostVector, type GasSchedule, gasAt } from '../core/cost.ts';
import { exponents, type Poly, polyAt, ZERO } from '../core/poly.ts';
import { bind, createPlan } from '../runtime/plan.ts';
import type { Commitment } from './commitment.ts';
import { dimWord } from './leaf.ts';
import { HASHES, type HashName, leafHash, sameBytes, TAG, tagged, treeOver } from './merkle.ts';
import type { Trace } from './trace.ts';
import { encodeWords, type Word, WordReader } from './words.ts';

/** Version of headers, leaves and receipts. */
export const CONSENSUS_VERSION = 1;

/** What a chain registers of a model: enough to price a run and to settle a dispute, without the model file. */
export interface Header {
  readonly hash: HashName;
  readonly modelId: Uint8Array;
  readonly modelRoot: Uint8Array;
  /** Root over the words of the inputs, then of the outputs. */
  readonly signatureRoot: Uint8Array;
  readonly nodes: number;
  /** Tensors of a trace. */
  readonly traceLength: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Bytes of the constants, and the canonical peak of the activations with every symbol at its maximum. */
  readonly weightBytes: number;
  readonly peakBytes: number;
  readonly symbols: readonly { readonly min: number; readonly max: number }[];
  readonly cost: CostVector;
}

/** What a run claims. Roots as `Trace` has them. */
export interface Receipt {
  readonly headerHash: Uint8Array;
  readonly dims: readonly number[];
  readonly inputRoot: Uint8Array;
  readonly outputRoot: Uint8Array;
  readonly traceRoot: Uint8Array;
  /** The cost vector at these dims, by class; classes that do not occur are absent. */
  readonly cost: Readonly<Record<string, bigint>>;
}

/** Words of an input or output: hash of its name, trace index + 1, the position + 1 of the output that replaces a state, u8, type. */
export function signatureWords(c: Commitment): Uint8Array[] {
  const { model, hash } = c;
  const name = (n: string): Uint8Array => leafHash(hash, new TextEncoder().encode(n));
  const state = new Map(model.states.map((s) => [s.input, s.output + 1]));
  const typed = (id: number): Word[] => {
    const t = model.tensors[id]!;
    return [t.zp, dimWord(t.lo), dimWord(t.hi), t.shape.length, ...t.shape.map(dimWord)];
  };
  const code = (id: number): number => ['i8', 'i16', 'i32', 'i4', 'bool'].indexOf(model.tensors[id]!.dtype);
  const inputs = model.inputs.map((d, i) =>
    encodeWords([name(d.name), i + 1, state.get(i) ?? 0, d.u8 ? 1 : 0, code(i), ...typed(i)]),
  );
  const outputs = model.outputs.map((o) => {
    return encodeWords([
      name(o.name),
      c.traceIndex.get(o.tensor)! + 1,
      0,
      o.u8 ? 1 : 0,
      code(o.tensor),
      ...typed(o.tensor),
    ]);
  });
  return [...inputs, ...outputs];
}

/** The header of a model. */
export function headerOf(c: Commitment): Header {
  const { model, hash } = c;
  const largest = Object.fromEntries(model.symbols.map((s) => [s.name, s.max]));
  const memory = createPlan(bind(model, largest)).memory;
  return {
    hash,
    modelId: model.id,
    modelRoot: c.modelRoot,
    signatureRoot: treeOver(
      hash,
      signatureWords(c).map((w) => leafHash(hash, w)),
    ).root,
    nodes: model.nodes.length,
    traceLength: c.trace.length,
    inputs: model.inputs.length,
    outputs: model.outputs.length,
    weightBytes: memory.constants,
    peakBytes: memory.peak,
    symbols: model.symbols.map(({ min, max }) => ({ min, max })),
    cost: model.cost,
  };
}

/** Terms of a polynomial as words: their number; of each its exponents, eight bits a symbol, and its coefficient. */
function polyWords(p: Poly): Word[] {
  const terms = [...p].map(([k, v]): [number, bigint] => [
    exponents(k).reduce((sum, e, i) => sum + e * 256 ** i, 0),
    v,
  ]);
  terms.sort((a, b) => a[0] - b[0]);
  return [terms.length, ...terms.flat()];
}

function readPoly(r: WordReader, symbols: number): Poly {
  const out = new Map<string, bigint>();
  const count = r.within(0, 4096);
  let last = -1;
  for (let i = 0; i < count; i++) {
    const packed = r.within(last + 1, 2 ** 32 - 1);
    last = packed;
    const e = [0, 1, 2, 3].map((k) => (packed >>> (8 * k)) & 255);
    while (e.length > 0 && e[e.length - 1] === 0) e.pop();
    if (e.length > symbols) throw new RangeError('a cost names an undeclared symbol');
    const v = r.big();
    if (v === 0n) throw new RangeError('a coefficient is zero');
    out.set(e.join(), v);
  }
  return out;
}

/** The words of a header. */
export function encodeHeader(h: Header): Uint8Array {
  return encodeWords([
    CONSENSUS_VERSION,
    HASHES.indexOf(h.hash),
    h.modelId,
    h.modelRoot,
    h.signatureRoot,
    h.nodes,
    h.traceLength,
    h.inputs,
    h.outputs,
    h.weightBytes,
    h.peakBytes,
    h.symbols.length,
    ...h.symbols.flatMap((s) => [s.min, s.max]),
    ...COST_CLASSES.flatMap((c) => polyWords(h.cost[c] ?? ZERO)),
  ]);
}

/**
 * A header from its bytes.
 * @throws RangeError where they are none
 */
export function decodeHeader(bytes: Uint8Array): Header {
  const r = new WordReader(bytes);
  r.within(CONSENSUS_VERSION, CONSENSUS_VERSION);
  const hash = HASHES[r.within(0, HASHES.length - 1)]!;
  const [modelId, modelRoot, signatureRoot] = [r.raw(), r.raw(), r.raw()];
  const [nodes, traceLength, inputs, outputs] = [1, 2, 3, 4].map(() => r.within(0, 2 ** 32)) as [
    number,
    number,
    number,
    number,
  ];
  const [weightBytes, peakBytes] = [r.within(0, 2 ** 32), r.within(0, 2 ** 32)];
  const symbols = Array.from({ length: r.within(0, 4) }, () => {
    const min = r.within(1, 2 ** 30);
    return { min, max: r.within(min, 2 ** 30) };
  });
  const cost = Object.fromEntries(
    COST_CLASSES.map((c) => [c, readPoly(r, symbols.length)] as const).filter(([, p]) => p.size > 0),
  );
  r.end();
  return {
    hash,
    modelId,
    modelRoot,
    signatureRoot,
    nodes,
    traceLength,
    inputs,
    outputs,
    weightBytes,
    peakBytes,
    symbols,
    cost,
  };
}

/** H(2 ‖ words): the key that chains and markets use. */
export function headerHash(h: Header): Uint8Array {
  return tagged(h.hash, TAG.header, encodeHeader(h));
}

/**
 * Gas of a run from the header alone.
 * @param dims value of each symbol, inside its range
 */
export function headerGas(h: Header, schedule: GasSchedule, dims: readonly number[] = []): bigint {
  return gasAt(h.cost, schedule, offsets(h.symbols, dims));
}

function offsets(symbols: Header['symbols'], dims: readonly number[]): number[] {
  if (dims.length !== symbols.length) throw new RangeError(`the model has ${symbols.length} symbols`);
  return symbols.map((s, i) => {
    const d = dims[i]!;
    if (!Number.isInteger(d) || d < s.min || d > s.max) throw new RangeError(`symbol ${i} is ${s.min}…${s.max}`);
    return d - s.min;
  });
}

/** True if `header` is that of the model: what a registrar checks when the body is published. */
export function provesHeader(header: Uint8Array, c: Commitment): boolean {
  return sameBytes(header, encodeHeader(headerOf(c)));
}

/** The cost vector at concrete dims. */
export function costAt(h: Header, dims: readonly number[]): Record<string, bigint> {
  const t = offsets(h.symbols, dims);
  return Object.fromEntries(
    COST_CLASSES.flatMap((c) => {
      const v = polyAt(h.cost[c] ?? ZERO, t);
      return v === 0n ? [] : [[c, v] as const];
    }),
  );
}

/** The receipt of a traced run. */
export function receiptOf(header: Header, trace: Trace): Receipt {
  return {
    headerHash: headerHash(header),
    dims: trace.plan.dims,
    inputRoot: trace.inputRoot,
    outputRoot: trace.outputRoot,
    traceRoot: trace.root,
    cost: costAt(header, trace.plan.dims),
  };
}

/** The words of a receipt. */
export function encodeReceipt(r: Receipt): Uint8Array {
  return encodeWords([
    CONSENSUS_VERSION,
    r.headerHash,
    r.inputRoot,
    r.outputRoot,
    r.traceRoot,
    r.dims.length,
    ...r.dims,
    ...COST_CLASSES.map((c) => r.cost[c] ?? 0n),
  ]);
}

/**
 * A receipt from its bytes.
 * @throws RangeError where they are none
 */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const r = new WordReader(bytes);
  r.within(CONSENSUS_VERSION, CONSENSUS_VERSION);
  const [headerHash, inputRoot, outputRoot, traceRoot] = [r.raw(), r.raw(), r.raw(), r.raw()];
  const dims = Array.from({ length: r.within(0, 4) }, () => r.within(1, 2 ** 30));
  const cost: Record<string, bigint> = {};
  for (const c of COST_CLASSES) {
    const v = r.big();
    if (v < 0n) throw new RangeError('a cost is negative');
    if (v > 0n) cost[c] = v;
  }
  r.end();
  return { headerHash, inputRoot, outputRoot, traceRoot, dims, cost };
}

/** H(3 ‖ words): what a receipt is known by. */
export function receiptHash(hash: HashName, r: Receipt): Uint8Array {
  return tagged(hash, TAG.receipt, encodeReceipt(r));
}
