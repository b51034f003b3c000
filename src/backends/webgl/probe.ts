/**
 * Getting a context, and the known answers that it must give before it is trusted (spec/30-execution.md §3): arithmetic at
 * its edges, long loops, and draws that reach their words and no others.
 * @module
 */
import { HostError } from '../../core/errors.ts';
import { FUNCTION, type OptionRule, wholeFrom } from '../../core/options.ts';
import { toBytes } from '../../core/tensor.ts';
import type { Limits } from '../webgpu/builder.ts';
import {
  ARITHMETIC,
  CHECKS,
  COUNT,
  EDGES,
  INNER,
  LONG,
  LONG_ANSWER,
  NESTED_ANSWER,
  OUTER,
  wrongCheck,
} from '../webgpu/checks.ts';
import { divisor } from '../webgpu/divisor.ts';
import { elementKernel, fourKernel, type Kernel } from '../webgpu/kernel.ts';
import { RECORD_WORDS } from '../webgpu/prelude.ts';
import { Area } from './area.ts';
import { Gl, TIMEOUT } from './context.ts';

/** Where a backend gets its context from, and how long it waits for an answer. */
export interface GlOptions {
  /** Gives a context of its own, which the backend keeps; default: that of a canvas of one pixel. */
  readonly context?: () => WebGL2RenderingContext | null;
  /** Milliseconds without an answer after which the context counts as failed; default 60,000. Work adds to it. */
  readonly timeout?: number;
  /** Most elementary steps of a draw; default 2^26. */
  readonly drawWork?: number;
}

/** What each option may be. */
export const GL_OPTIONS: Readonly<Record<keyof GlOptions, OptionRule>> = {
  context: FUNCTION,
  timeout: wholeFrom(1),
  drawWork: wholeFrom(1),
};

/** Elementary steps that no context is lost over, and some need for being busy. */
const DRAW_WORK = 2 ** 26;

/** Words that a draw makes at once. */
const TEXEL_WORDS = 4;

/** A context that gave the right answers, and what it may draw. */
export interface Answers {
  readonly gl: Gl;
  readonly limits: Limits;
}

/** Shifts stay below 32: what lies beyond GLSL leaves open, and no kernel goes there. */
const GL_ARITHMETIC = {
  ...ARITHMETIC,
  body: { ...ARITHMETIC.body!, code: ARITHMETIC.body!.code.replaceAll('63u', '31u') },
};

/** A loop, then two nested ones. */
const LOOPS = /* @__PURE__ */ elementKernel(
  'probe_loops',
  'long: u32, outer: u32, inner: u32',
  `
fn element(i: u32) -> i32 {
  var s: u32 = 1u;
  if (i == 0u) {
    for (var k: u32 = 0u; k < p.long; k++) { s = s * 1664525u + k; }
    return bitcast<i32>(s);
  }
  for (var k: u32 = 0u; k < p.outer; k++) {
    for (var j: u32 = 0u; j < p.inner; j++) { s = s * 22695477u + k + j; }
  }
  return bitcast<i32>(s);
}`,
);

/** Elements of the arena and of the constants, some way back from the end. */
const COPY = /* @__PURE__ */ elementKernel(
  'probe_copy',
  'x: u32, x_size: u32, table: u32',
  'fn element(i: u32) -> i32 { return load(p.x, p.x_size, i) ^ bitcast<i32>(constants[p.table + i]); }',
);

const FOURS = /* @__PURE__ */ fourKernel(
  'probe_fours',
  'x: u32',
  'fn four(i: u32) -> vec4<u32> { return vec4<u32>(arena[p.x + 4u * i], arena[p.x + 4u * i + 1u], arena[p.x + 4u * i + 2u], arena[p.x + 4u * i + 3u]); }',
);

/** Values of a record's fields in order. */
type Fields = Readonly<Record<string, number | readonly number[]>>;

/** One kernel over an arena: draws words first…end − 1 and gives all of them back. */
async function once(
  own: Gl,
  kernel: Kernel,
  fields: Fields,
  arena: Uint32Array,
  table: Uint32Array,
  [first, end]: readonly [number, number],
): Promise<Int32Array> {
  const programs = await own.programs([kernel]);
  const constants = new Uint8Array(4 * RECORD_WORDS + table.byteLength);
  const record = Uint32Array.from(kernel.fields.flatMap(([name]) => fields[name]!));
  constants.set(toBytes(new Int32Array(record.buffer)));
  constants.set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), 4 * RECORD_WORDS);
  const bytes = new Uint8Array(arena.slice().buffer);
  const what = `probe ${kernel.name}`;
  const area = own.checked(what, () => new Area(own, bytes.length, constants, bytes.length));
  try {
    own.checked(what, () => {
      area.upload(0, bytes);
      area.begin();
      area.draw(programs.get(kernel.code)!, 0, first, end);
      area.ask([{ from: 0, to: 0, bytes: bytes.length }]);
    });
    await own.settled(what);
    return new Int32Array(own.checked(what, () => area.answer()).buffer);
  } finally {
    area.dispose();
  }
}

/** A divisor as the words of a record. */
function fieldOf(n: number): number[] {
  const d = divisor(n);
  return [d.n, d.mul, d.shift];
}

/** Name of the first arithmetic check that is wrong. */
async function wrongArithmetic(own: Gl): Promise<string | undefined> {
  const pairs = COUNT * COUNT;
  const count = CHECKS.length * pairs;
  const fields = { edges: RECORD_WORDS, pairs: fieldOf(pairs), side: fieldOf(COUNT) };
  const range = { first: 0, end: count, count, y: 0, y_size: 2 };
  const arena = new Uint32Array((count + 3) & ~3);
  const got = await once(own, GL_ARITHMETIC, { ...fields, ...range }, arena, EDGES, [0, count]);
  return wrongCheck(got);
}

/** Name of the loop that is wrong. */
async function wrongLoop(own: Gl): Promise<string | undefined> {
  const fields = { long: LONG, outer: OUTER, inner: INNER, first: 0, end: 2, count: 2, y: 0, y_size: 2 };
  const got = await once(own, LOOPS, fields, new Uint32Array(4), new Uint32Array(4), [0, 2]);
  if (got[0] !== LONG_ANSWER) return 'a loop of more than 65,536 turns';
  return got[1] === NESTED_ANSWER ? undefined : 'nested loops of more than 65,536 turns';
}

/** Words of an arena of several rows, each another one. */
function filled(words: number): Uint32Array {
  return Uint32Array.from({ length: words }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
}

/** Element i of a size (log2 of its bytes) of words. */
function elementOf(words: Uint32Array, size: number, i: number): number {
  const up = 32 - (8 << size);
  return (words[i >> (2 - size)]! << (up - ((i & (3 >> size)) << (3 + size)))) >> up;
}

/** Draws of words, of bytes, of halves and of fours that begin and end within rows and texels: no other word changes. */
async function wrongTails(own: Gl): Promise<string | undefined> {
  const name = 'a draw of some words';
  const words = filled(1024);
  const table = filled(900);
  for (const [size, y, first, end, count] of [
    [2, 517, 3, 400, 398],
    [0, 514, 0, 101, 401],
    [1, 605, 1, 131, 262],
  ] as const) {
    const fields = { x: 5, x_size: size, table: RECORD_WORDS, first, end, count, y, y_size: size };
    const got = await once(own, COPY, fields, words, table, [y + first, y + end]);
    const expected = words.slice();
    for (let i = first; i < end; i++) {
      const lanes = 4 >> size;
      let bits = 0;
      for (let lane = 0; lane < lanes; lane++) {
        const e = i * lanes + lane;
        const v = e < count ? elementOf(words.subarray(5), size, e) ^ (table[e]! | 0) : 0;
        bits |= (v & (0xffffffff >>> (32 - (8 << size)))) << (lane * (8 << size));
      }
      expected[y + i] = bits;
    }
    if (expected.some((v, i) => (v | 0) !== got[i])) return name;
  }
  const fields = { x: 2, first: 3, end: 70, y: 516, y_size: 2 };
  const got = await once(own, FOURS, fields, words, table, [516 + 12, 516 + 280]);
  const right = words.every((v, i) => got[i] === ((i >= 528 && i < 796 ? words[i - 514]! : v) | 0));
  return right ? undefined : name;
}

/** The context of a canvas of one pixel. */
function own(): WebGL2RenderingContext | null {
  const attributes: WebGLContextAttributes = {
    alpha: false,
    antialias: false,
    depth: false,
    stencil: false,
    powerPreference: 'high-performance',
  };
  if (typeof OffscreenCanvas === 'function') {
    const context = new OffscreenCanvas(1, 1).getContext('webgl2', attributes);
    if (context !== null) return context;
  }
  return typeof document === 'object' ? document.createElement('canvas').getContext('webgl2', attributes) : null;
}

/**
 * Gets a context and probes it.
 * @throws HostError `NoBackend` without WebGL2, `SelfTest` naming the check that failed
 */
export async function acquire(options: GlOptions): Promise<Answers> {
  const { context = own, timeout = TIMEOUT, drawWork = DRAW_WORK } = options;
  const api = context();
  if (api === null) throw new HostError('NoBackend', 'this engine has no WebGL2');
  const gl = new Gl(api, timeout);
  try {
    const wrong = (await wrongArithmetic(gl)) ?? (await wrongLoop(gl)) ?? (await wrongTails(gl));
    if (wrong !== undefined) throw new HostError('SelfTest', `WebGL computes ${wrong} wrongly`);
  } catch (e) {
    gl.release();
    throw e;
  }
  return { gl, limits: { dot4: false, work: drawWork, least: TEXEL_WORDS } };
}
