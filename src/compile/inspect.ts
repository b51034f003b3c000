/**
 * What a module holds, as far as hosts restrict it.
 * @module
 */
import { instructions, Malformed, OP, type Reader, SECTION, sections } from './binary.ts';
import { type Feature, featuresOf } from './instructions.ts';

/** Figures of a module. */
export interface Inspection {
  readonly bytes: number;
  /** Bytes of the instructions, and of the data. */
  readonly codeBytes: number;
  readonly dataBytes: number;
  /** What it takes beyond integers of the first version, and where: a function number, or −1 outside functions. */
  readonly features: ReadonlyMap<Feature, number>;
  readonly functions: number;
  /** Most parameters and variables of a function, and most results. */
  readonly locals: number;
  readonly results: number;
  /** Most parameters of a function, those of all types that functions have, and the variables of all functions. */
  readonly params: number;
  readonly allParams: number;
  readonly allLocals: number;
  /** Tables, and the most elements that they may have together; none without a limit. */
  readonly tables: number;
  readonly elements: number | undefined;
  /** Pieces of data, and segments of elements. */
  readonly dataSegments: number;
  readonly elementSegments: number;
  readonly globals: number;
  /** Functions, memories, tables and globals that it imports. */
  readonly imports: number;
  /** Bytes of its memory at the start, in pages, and the most that it may grow to; none without a limit. */
  readonly pages: number;
  readonly maxPages: number | undefined;
  readonly start: boolean;
  readonly exports: readonly string[];
}

const VALUE: Readonly<Record<number, Feature | undefined>> = {
  125: 'floats',
  124: 'floats',
  123: 'simd',
  112: 'reference-types',
  111: 'reference-types',
};

class Inspector {
  readonly features: Map<Feature, number> = new Map();
  readonly exports: string[] = [];
  readonly #results: number[] = [];
  locals = 0;
  params = 0;
  allParams = 0;
  allLocals = 0;
  tables = 0;
  elements: number | undefined = 0;
  dataSegments = 0;
  elementSegments = 0;
  globals = 0;
  results = 0;
  imports = 0;
  functions = 0;
  pages = 0;
  maxPages: number | undefined;
  start = false;
  codeBytes = 0;
  dataBytes = 0;
  #memories = 0;
  /** Functions among the imports. */
  #imported = 0;
  /** Whether each global can be set. */
  readonly #mutable: boolean[] = [];
  readonly #params: number[] = [];
  readonly #types: number[] = [];

  #note(feature: Feature | undefined, where = -1): void {
    if (feature !== undefined && !this.features.has(feature)) this.features.set(feature, where);
  }

  #value(r: Reader, where = -1): void {
    const b = r.byte();
    if (b === 0x7f || b === 0x7e) return;
    const feature = VALUE[b];
    if (feature === undefined && (b < 0x60 || b > 0x7d))
      throw new Malformed(`value type 0x${b.toString(16)} is unknown`);
    this.#note(feature ?? 'gc', where);
  }

  #type(r: Reader): void {
    if (r.byte() !== 0x60) {
      this.#note('gc');
      throw new Malformed('a type is no function');
    }
    const params = r.vector((v) => this.#value(v)).length;
    this.#params.push(params);
    this.params = Math.max(this.params, params);
    const results = r.vector((v) => this.#value(v)).length;
    this.#results.push(results);
    this.results = Math.max(this.results, results);
    if (results > 1) this.#note('multi-value');
  }

  #limits(r: Reader, memory: boolean): void {
    const flags = r.u32();
    if (flags & 2) this.#note('atomics');
    if (flags & 4) this.#note('memory64');
    const least = r.u32();
    const most = flags & 1 ? r.u32() : undefined;
    if (!memory) {
      this.tables++;
      this.elements = most === undefined || this.elements === undefined ? undefined : this.elements + most;
      return;
    }
    this.pages += least;
    this.maxPages = most;
    if (++this.#memories > 1) this.#note('multi-memory');
  }

  #table(r: Reader): void {
    if (r.byte() !== 0x70) this.#note('reference-types');
    this.#limits(r, false);
  }

  #globalType(r: Reader): boolean {
    this.#value(r);
    const mutable = r.byte() === 1;
    this.#mutable.push(mutable);
    return mutable;
  }

  #expression(r: Reader, where: number): void {
    for (const i of instructions(r)) {
      for (const f of featuresOf(i.op)) this.#note(f, where);
      if (i.op === OP.end && where < 0) return;
      if (i.op >= 2 && i.op <= 4 && i.index !== undefined) this.#note('multi-value', where);
    }
  }

  #import(r: Reader): void {
    r.name();
    r.name();
    this.imports++;
    const kind = r.byte();
    if (kind === 0) this.#imported = this.#types.push(r.u32());
    else if (kind === 1) this.#table(r);
    else if (kind === 2) this.#limits(r, true);
    else if (kind === 3) {
      if (this.#globalType(r)) this.#note('mutable-globals');
    } else this.#note('exceptions');
  }

  #function(r: Reader, index: number): void {
    const body = r.part(r.u32());
    const params = this.#params[this.#types[index] ?? -1] ?? 0;
    let locals = params;
    body.vector((v) => {
      locals += v.u32();
      this.#value(v, index);
    });
    this.locals = Math.max(this.locals, locals);
    this.allParams += params;
    this.allLocals += locals - params;
    this.#expression(body, index);
    this.functions++;
  }

  #data(r: Reader): void {
    this.dataSegments++;
    const mode = r.u32();
    if (mode === 1) this.#note('bulk-memory');
    if (mode === 2) r.u32();
    if (mode !== 1) this.#expression(r, -1);
    const n = r.u32();
    this.dataBytes += n;
    r.skip(n);
  }

  section(id: number, r: Reader): void {
    if (id === SECTION.type) r.vector((v) => this.#type(v));
    else if (id === SECTION.import) r.vector((v) => this.#import(v));
    else if (id === SECTION.function) for (const t of r.vector((v) => v.u32())) this.#types.push(t);
    else if (id === SECTION.table) r.vector((v) => this.#table(v));
    else if (id === SECTION.memory) r.vector((v) => this.#limits(v, true));
    else if (id === SECTION.global)
      r.vector((v) => {
        this.globals++;
        this.#globalType(v);
        this.#expression(v, -1);
      });
    else if (id === SECTION.export) this.#exports(r);
    else if (id === SECTION.start) this.start = true;
    else if (id === SECTION.element) this.elementSegments = r.u32();
    else if (id === SECTION.code) {
      this.codeBytes = r.end - r.at;
      for (let i = 0, n = r.u32(); i < n; i++) this.#function(r, this.#imported + i);
    } else if (id === SECTION.data) r.vector((v) => this.#data(v));
    else if (id === SECTION.dataCount) this.#note('bulk-memory');
    else if (id === SECTION.tag) this.#note('exceptions');
  }

  #exports(r: Reader): void {
    r.vector((v) => {
      this.exports.push(v.name());
      const kind = v.byte();
      if (this.#mutable[v.u32()] && kind === 3) this.#note('mutable-globals');
    });
  }
}

/**
 * Reads a module. Instructions are read, not checked for types: an engine does that.
 * @throws Malformed where the bytes are no module
 */
export function inspect(bytes: Uint8Array): Inspection {
  const found = new Inspector();
  for (const { id, body } of sections(bytes)) found.section(id, body);
  const { features, functions, locals, results, imports, pages, maxPages, start, exports, codeBytes, dataBytes } =
    found;
  const { params, allParams, allLocals, tables, elements, dataSegments, elementSegments, globals } = found;
  const figures = {
    bytes: bytes.length,
    codeBytes,
    dataBytes,
    functions,
    locals,
    results,
    params,
    allParams,
    allLocals,
  };
  const parts = { tables, elements, dataSegments, elementSegments, globals };
  return { ...figures, ...parts, features, imports, pages, maxPages, start, exports };
}
