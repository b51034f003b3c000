/**
 * A linker for modules of kernels: it takes the functions that are wanted, and those that they call, out of several modules and
 * makes one module with a memory of its own, without imports.
 * @module
 */
import { assert } from '../core/errors.ts';
import { block, instructions, name, OP, Reader, SECTION, s32, sections, u32 } from './binary.ts';

const FUNCTION = 0;
const GLOBAL = 3;
const I32 = 0x7f;

/** A module whose functions can be taken. */
export interface Part {
  readonly bytes: Uint8Array;
  /** Types as they are written. */
  readonly types: readonly string[];
  readonly imports: readonly { readonly field: string; readonly type: number }[];
  readonly functions: readonly { readonly type: number; readonly from: number; readonly to: number }[];
  readonly globals: readonly (readonly number[])[];
  /** Index of every exported function and global. */
  readonly exports: ReadonlyMap<string, number>;
  readonly globalNames: ReadonlyMap<number, string>;
}

function readType(r: Reader): string {
  assert(r.byte() === 0x60, 'a kernel has a type of another form');
  const types = [r.vector((v) => v.byte()), r.vector((v) => v.byte())];
  return JSON.stringify(types);
}

function readImport(r: Reader): { field: string; type: number } | undefined {
  r.name();
  const field = r.name();
  if (r.byte() === FUNCTION) return { field, type: r.u32() };
  const flags = r.u32(); // the memory
  r.u32();
  if (flags & 1) r.u32();
  return undefined;
}

function readGlobal(r: Reader): number[] {
  const from = r.skip(2);
  for (const i of instructions(r)) if (i.op === OP.end) break;
  return [...r.bytes.subarray(from, r.at)];
}

/** Reads a module of kernels. */
export function part(bytes: Uint8Array): Part {
  const found: { [id: number]: Reader } = {};
  for (const s of sections(bytes)) found[s.id] = s.body;
  for (const id of [SECTION.table, SECTION.start, SECTION.element, SECTION.data])
    assert(found[id] === undefined, `kernels with a section ${id}`);
  const all = <T>(id: number, item: (r: Reader) => T): T[] => found[id]?.vector(item) ?? [];
  const types = all(SECTION.type, readType);
  const imports = all(SECTION.import, readImport).filter((i) => i !== undefined);
  const own = all(SECTION.function, (r) => r.u32());
  const globals = all(SECTION.global, readGlobal);
  const entries = all(SECTION.export, (r) => ({ field: r.name(), kind: r.byte(), index: r.u32() }));
  const bodies = all(SECTION.code, (r) => {
    const n = r.u32();
    const from = r.skip(n);
    return { from, to: from + n };
  });
  return {
    bytes,
    types,
    imports,
    functions: own.map((type, i) => ({ type, ...bodies[i]! })),
    globals,
    exports: new Map(entries.map((e) => [e.field, e.index])),
    globalNames: new Map(entries.filter((e) => e.kind === GLOBAL).map((e) => [e.index, e.field])),
  };
}

/** Every function that `field` of a part runs, itself first, imports left out. */
export function reached(p: Part, field: string): number[] {
  const out = [p.exports.get(field)!];
  const seen = new Set(out);
  for (let k = 0; k < out.length; k++) {
    for (const i of code(p, out[k]!)) {
      if (i.op !== OP.call || seen.has(i.index!) || i.index! < p.imports.length) continue;
      seen.add(i.index!);
      out.push(i.index!);
    }
  }
  return out;
}

/** A reader behind the locals of a function. */
function body(p: Part, index: number): Reader {
  const { from, to } = p.functions[index - p.imports.length]!;
  const r = new Reader(p.bytes, from, to);
  r.vector((v) => [v.u32(), v.byte()]);
  return r;
}

/** The instructions of a function. */
export function code(p: Part, index: number): ReturnType<typeof instructions> {
  return instructions(body(p, index));
}

/** A function of a part. */
export interface Kernel {
  readonly part: Part;
  readonly field: string;
}

/** What is linked. */
export interface Link {
  /** Functions that are exported under their names. */
  readonly exports: readonly Kernel[];
  /** Kernels that `dispatch` calls, by their number in a call. */
  readonly kernels: readonly Kernel[];
  /** Values of exported globals, which become constants. */
  readonly constants: Readonly<Record<string, number>>;
  readonly pages: number;
  /** True where the memory has no greatest size: its host sets one. */
  readonly grows: boolean;
  /** What the memory holds at first. */
  readonly data: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

/** One function of the result: its type and body. */
interface Emitted {
  readonly type: number;
  readonly body: readonly number[];
}

class Linker {
  readonly #types: string[] = [];
  readonly #functions: (Emitted | undefined)[] = [];
  readonly #indices = new Map<Part, Map<number, number>>();
  readonly #queue: { readonly part: Part; readonly from: number; readonly to: number }[] = [];
  readonly #globals: (readonly number[])[] = [];
  readonly #globalIndices = new Map<Part, Map<number, number>>();
  readonly #constants: Readonly<Record<string, number>>;
  /** Number of `dispatch`, which is the first function. */
  readonly #dispatch = 0;

  constructor(constants: Readonly<Record<string, number>>) {
    this.#constants = constants;
    this.#functions.push(undefined);
  }

  /** Number of a type. */
  type(text: string): number {
    const at = this.#types.indexOf(text);
    return at >= 0 ? at : this.#types.push(text) - 1;
  }

  /** Number of a function of a part in the result. */
  function(p: Part, index: number): number {
    if (index < p.imports.length) {
      assert(p.imports[index]!.field === 'dispatch', 'a kernel imports a function');
      return this.#dispatch;
    }
    const known = of(this.#indices, p);
    let at = known.get(index);
    if (at === undefined) {
      at = this.#functions.push(undefined) - 1;
      known.set(index, at);
      this.#queue.push({ part: p, from: index, to: at });
    }
    return at;
  }

  symbol({ part: p, field }: Kernel): number {
    return this.function(p, p.exports.get(field)!);
  }

  #global(p: Part, index: number): number {
    const known = of(this.#globalIndices, p);
    let at = known.get(index);
    if (at === undefined) known.set(index, (at = this.#globals.push(p.globals[index]!) - 1));
    return at;
  }

  /** The number that `dispatch` has, once its body is made. */
  setDispatch(bytes: readonly number[]): void {
    this.#functions[this.#dispatch] = { type: this.type(JSON.stringify([[I32, I32, I32], []])), body: bytes };
  }

  /** Copies all functions that are reached. */
  copy(): void {
    for (let k = 0; k < this.#queue.length; k++) {
      const { part: p, from, to } = this.#queue[k]!;
      const { type } = p.functions[from - p.imports.length]!;
      this.#functions[to] = { type: this.type(p.types[type]!), body: this.#body(p, from) };
    }
  }

  #body(p: Part, index: number): number[] {
    const r = body(p, index);
    const out: number[] = [];
    let copied = p.functions[index - p.imports.length]!.from;
    const put = (upTo: number, bytes: readonly number[], next: number): void => {
      for (; copied < upTo; copied++) out.push(p.bytes[copied]!);
      out.push(...bytes);
      copied = next;
    };
    for (const i of instructions(r)) {
      if (i.op === OP.call) put(i.indexAt!, u32(this.function(p, i.index!)), i.end);
      else if (i.op === OP.globalGet || i.op === OP.globalSet) {
        const constant = this.#constants[p.globalNames.get(i.index!) ?? ''];
        assert(constant === undefined || i.op === OP.globalGet, 'a kernel sets a constant');
        if (constant !== undefined) put(i.at, [OP.constant, ...s32(constant)], i.end);
        else put(i.indexAt!, u32(this.#global(p, i.index!)), i.end);
      } else
        assert(i.op !== OP.callIndirect && (i.index === undefined || i.op > 4), 'an instruction that is not linked');
    }
    put(r.end, [], r.end);
    return out;
  }

  /** The module. */
  module(link: Link, fields: readonly (readonly [string, number])[]): Uint8Array<ArrayBuffer> {
    const typeBytes = this.#types.map((t) => {
      const [params, results] = JSON.parse(t) as [number[], number[]];
      return [0x60, ...block(params), ...block(results)];
    });
    const functions = this.#functions as readonly Emitted[];
    const pages = u32(link.pages);
    const limits = link.grows ? [0, ...pages] : [1, ...pages, ...pages];
    const section = (id: number, items: readonly (readonly number[])[]): number[] =>
      items.length === 0 ? [] : [id, ...block([...u32(items.length), ...items.flat()])];
    const head = [
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(SECTION.type, typeBytes),
      ...section(
        SECTION.function,
        functions.map((f) => u32(f.type)),
      ),
      ...section(SECTION.memory, [limits]),
      ...section(SECTION.global, this.#globals),
      ...section(SECTION.export, [
        [...name('memory'), 2, 0],
        ...fields.map(([field, index]) => [...name(field), FUNCTION, ...u32(index)]),
      ]),
      ...section(
        SECTION.code,
        functions.map((f) => block(f.body)),
      ),
    ];
    return withData(head, link.data);
  }
}

function of<K, A, B>(map: Map<K, Map<A, B>>, key: K): Map<A, B> {
  let inner = map.get(key);
  if (inner === undefined) map.set(key, (inner = new Map()));
  return inner;
}

/** Adds the data section, whose bytes may be many. */
function withData(head: readonly number[], data: Link['data']): Uint8Array<ArrayBuffer> {
  if (data.length === 0) return Uint8Array.from(head);
  const heads = data.map(({ at, bytes }) => [0, OP.constant, ...s32(at), OP.end, ...u32(bytes.length)]);
  const count = u32(data.length);
  const size = data.reduce((n, d, i) => n + heads[i]!.length + d.bytes.length, count.length);
  const before = [...head, SECTION.data, ...u32(size), ...count];
  const out = new Uint8Array(before.length - count.length + size);
  out.set(before);
  let at = before.length;
  data.forEach(({ bytes }, i) => {
    out.set(heads[i]!, at);
    out.set(bytes, at + heads[i]!.length);
    at += heads[i]!.length + bytes.length;
  });
  return out;
}

/**
 * The body of dispatch(from, to, record): by the number in the first half word of the record it calls a kernel with from, to and
 * the words of the record from the fourth on.
 */
function dispatchBody(kernels: readonly { readonly index: number; readonly params: number }[]): number[] {
  if (kernels.length === 0) return [0, OP.end];
  const open = kernels.flatMap(() => [0x02, 0x40]);
  const labels = kernels.flatMap((_, i) => u32(i));
  const choice = [0x20, 2, 0x2f, 1, 0, 0x0e, ...u32(kernels.length - 1), ...labels];
  const cases = kernels.flatMap(({ index, params }) => [
    OP.end,
    ...[0x20, 0, 0x20, 1],
    ...Array.from({ length: params - 2 }, (_, i) => [0x20, 2, 0x28, 2, ...u32(12 + 4 * i)]).flat(),
    OP.call,
    ...u32(index),
    0x0f,
  ]);
  return [0, ...open, ...choice, ...cases, OP.end];
}

/** Links. */
export function link(l: Link): Uint8Array<ArrayBuffer> {
  const linker = new Linker(l.constants);
  const fields = l.exports.map((s) => [s.field, linker.symbol(s)] as const);
  const kernels = l.kernels.map((s) => {
    const { type } = s.part.functions[s.part.exports.get(s.field)! - s.part.imports.length]!;
    return { index: linker.symbol(s), params: (JSON.parse(s.part.types[type]!) as number[][])[0]!.length };
  });
  linker.setDispatch(dispatchBody(kernels));
  linker.copy();
  return linker.module(l, fields);
}
