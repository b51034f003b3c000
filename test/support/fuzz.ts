/**
 * Fuzz cases of the model file: half are edits of a valid graph encoded canonically again, so that they reach the
 * validator; the rest are raw mutations, truncations and length bombs.
 */
import { gasAt, SCHEDULE_1 } from '../../src/core/cost.ts';
import { type Dim, greatest } from '../../src/core/dim.ts';
import { SamebitError } from '../../src/core/errors.ts';
import type { TypedArray } from '../../src/core/tensor.ts';
import { decodeModel } from '../../src/format/decode.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph, Model, Node } from '../../src/graph/ir.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { Prng } from './prng.ts';
import { drawAttr } from './random-graph.ts';
import { randomGraph } from './recipes.ts';

/** What became of a case. `reached`: the bytes were canonical, so the validator saw the graph. */
export interface FuzzOutcome {
  readonly kind: 'valid' | 'refused' | 'crash';
  readonly reached: boolean;
  readonly code: string;
  readonly ms: number;
  readonly model?: Model;
  readonly bytes: Uint8Array;
}

type Editable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

const EDGES = [
  0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1048576, 1073741823, 1073741824, 2147483647, -1, -128, -129,
  -32768, -2147483648,
];

function edgyNumber(r: Prng, v: number): number {
  const kind = r.below(5);
  return kind === 0 ? v + 1 : kind === 1 ? v - 1 : kind === 2 ? -v : kind === 3 ? r.pick(EDGES) : r.int(-40, 300);
}

/** Changes one number somewhere inside a value made of plain objects, arrays and typed arrays. */
function mutated(r: Prng, value: unknown): unknown {
  if (typeof value === 'number') return edgyNumber(r, value) | 0;
  if (typeof value === 'bigint')
    return BigInt.asUintN(64, r.once(2) ? value + 1n : BigInt(r.next()) << BigInt(r.below(33)));
  if (typeof value === 'boolean') return !value;
  if (ArrayBuffer.isView(value)) {
    const copy = (value as TypedArray).slice();
    if (copy.length > 0) copy[r.below(copy.length)] = edgyNumber(r, copy[0]!);
    return r.once(12) ? copy.slice(0, r.below(copy.length + 1)) : copy;
  }
  if (Array.isArray(value)) {
    const copy = [...value];
    if (copy.length === 0 || r.once(6)) return r.once(2) ? copy.slice(1) : [...copy, 1];
    const i = r.below(copy.length);
    copy[i] = mutated(r, copy[i]);
    return copy;
  }
  if (value !== null && typeof value === 'object') {
    const keys = Object.keys(value).filter((k) => typeof (value as Record<string, unknown>)[k] !== 'string');
    if (keys.length === 0) return value;
    const k = r.pick(keys);
    return { ...value, [k]: mutated(r, (value as Record<string, unknown>)[k]) };
  }
  return value;
}

/** One edit of a graph. */
function edit(r: Prng, g: Editable<Graph>): void {
  const list = <T>(items: T[], change: (item: T) => T): void => {
    if (items.length > 0) {
      const i = r.below(items.length);
      items[i] = change(items[i]!);
    }
  };
  switch (r.below(11)) {
    case 0:
      list(g.inputs, (d) => mutated(r, d) as typeof d);
      break;
    case 1:
      list(g.constants, (c) => mutated(r, c) as typeof c);
      break;
    case 2:
      list(g.constants, (c) => ({ ...c, data: mutated(r, c.data) as TypedArray }));
      break;
    case 3:
      list(g.outputs, (o) => mutated(r, o) as typeof o);
      break;
    case 4:
      list(g.nodes, (n) => ({ ...n, inputs: mutated(r, n.inputs) as number[] }));
      break;
    case 5:
      list(g.nodes, (n) => ({ ...n, op: r.pick(Object.keys(OPS) as OpName[]) }));
      break;
    case 6:
      list(g.symbols, (s) => mutated(r, s) as typeof s);
      break;
    case 7: {
      if (g.nodes.length > 0)
        g.nodes.splice(r.below(g.nodes.length), r.below(2), ...(r.once(2) ? [r.pick(g.nodes)] : []));
      break;
    }
    case 8: {
      if (g.inputs.length > 0)
        g.states.push({ input: r.below(g.inputs.length), output: r.below(g.outputs.length + 1) });
      break;
    }
    case 9:
      list(g.nodes, (n) => redraw(r, n));
      break;
    default:
      list(g.nodes, (n) => ({ ...n, attrs: mutated(r, n.attrs) as Node['attrs'] }));
      break;
  }
}

function redraw(r: Prng, n: Node): Node {
  const names = Object.keys(OPS[n.op].attrs);
  if (names.length === 0) return n;
  const name = r.pick(names);
  const value = drawAttr(r, OPS[n.op].attrs[name]!);
  const attrs: Record<string, unknown> = { ...n.attrs };
  if (value === undefined) delete attrs[name];
  else attrs[name] = value;
  return { ...n, attrs };
}

function editedBytes(r: Prng, base: Graph): Uint8Array | null {
  const g: Editable<Graph> = {
    symbols: [...base.symbols],
    inputs: [...base.inputs],
    constants: [...base.constants],
    nodes: [...base.nodes],
    outputs: [...base.outputs],
    states: [...base.states],
  };
  for (let i = r.int(0, 2); i >= 0; i--) edit(r, g);
  try {
    return encodeModel(g);
  } catch {
    return null; // the edit broke the graph's own types: not a file
  }
}

/** A raw mutation: flips, cuts, insertions, copies, and varints that claim great lengths. */
function mutatedBytes(r: Prng, base: Uint8Array): Uint8Array {
  const bytes = Array.from(base);
  for (let n = r.int(1, 4); n > 0; n--) {
    const at = r.below(bytes.length + 1);
    switch (r.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << r.below(8);
        break;
      case 1:
        bytes.splice(at, r.int(1, 9));
        break;
      case 2:
        bytes.splice(at, 0, ...Array.from({ length: r.int(1, 6) }, () => r.below(256)));
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + r.int(1, 24)));
        break;
      case 4:
        bytes.splice(
          at,
          r.below(2),
          0xff,
          0xff,
          0xff,
          0xff,
          r.pick([0x07, 0x0f, 0xff]),
          ...(r.once(2) ? [0xff, 0xff, 0xff, 0xff, 0x01] : []),
        );
        break;
      default:
        bytes.length = r.below(bytes.length + 1);
    }
    if (bytes.length === 0) break;
  }
  return Uint8Array.from(bytes);
}

const cache: { seed: number; graph: Graph; bytes: Uint8Array }[] = [];

/** A base model; a few hundred are kept, since the edits matter more than the base. */
function base(seed: number): { graph: Graph; bytes: Uint8Array } {
  const slot = seed % 512;
  if (cache[slot]?.seed !== seed) {
    const graph = randomGraph(seed, 3);
    cache[slot] = { seed, graph, bytes: encodeModel(graph) };
  }
  return cache[slot]!;
}

/** Runs case `seed`. */
export function fuzzCase(seed: number): FuzzOutcome {
  const r = new Prng(seed ^ 0x5eed);
  const from = base(Math.floor(seed / 64));
  const edited = r.once(2) ? editedBytes(r, from.graph) : null;
  const bytes =
    edited ??
    (r.once(100) ? Uint8Array.from({ length: r.below(400) }, () => r.below(256)) : mutatedBytes(r, from.bytes));
  const start = performance.now();
  let ms = 0;
  const done = (rest: Pick<FuzzOutcome, 'kind' | 'reached' | 'code'> & { model?: Model }): FuzzOutcome => ({
    ...rest,
    bytes,
    ms,
  });
  try {
    const model = loadModel(bytes);
    ms = performance.now() - start;
    return done({ kind: 'valid', reached: true, code: '', model });
  } catch (e) {
    ms = performance.now() - start;
    if (e instanceof SamebitError)
      return done({ kind: 'refused', reached: decodes(bytes), code: `${e.family}.${e.code}` });
    return done({ kind: 'crash', reached: false, code: String((e as Error).stack) });
  }
}

/** True if the bytes are a canonical graph, so that the validator sees it. */
function decodes(bytes: Uint8Array): boolean {
  try {
    decodeModel(bytes);
    return true;
  } catch {
    return false;
  }
}

/** True if a fuzzed model is cheap enough to run on every backend: gas, and elements of every tensor at the largest dims. */
export function isCheap(model: Model): boolean {
  const gas = gasAt(
    model.cost,
    SCHEDULE_1,
    model.symbols.map((s) => s.max - s.min),
  );
  const count = (shape: readonly Dim[]): number => shape.reduce<number>((n, d) => n * greatest(d, model.symbols), 1);
  return gas < 3_000_000n && model.tensors.every((t) => count(t.shape) < 1_000_000);
}
