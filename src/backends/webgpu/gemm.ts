/**
 * The product of all linear ops as WGSL: rows of an image (implicit im2col) times columns of weights or of a tensor, in
 * words of four i8 or two i16, with the output stage fused (spec/10-ops.md §2).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { type Kernel, kernel, type Names } from './kernel.ts';

/** Outputs of a tile. */
const TILE = 4096;

/** Columns of a tile: a power of two, and its rows the rest of 4096. */
export type Wide = 64 | 32 | 16;

/** Rows of a tile of so many columns. */
export function tallOf(wide: Wide): number {
  return floorDiv(TILE, wide);
}

/** The tile that covers a product with the least work outside it; the square one of equals. */
export function tileFor(rows: number, columns: number): Wide {
  const covered = (wide: Wide): number => {
    const tall = tallOf(wide);
    return floorDiv(rows + tall - 1, tall) * floorDiv(columns + wide - 1, wide);
  };
  return ([64, 32, 16] as const).reduce((best, wide) => (covered(wide) < covered(best) ? wide : best));
}

/** Invocations that share four outputs of a matrix-vector product. */
const LANES = 64;

/** A variant. `halves`: words of two i16, else of four i8. `size`: log2 of the bytes of an output, 2 where raw. */
export interface Form {
  /** Columns of a tile; absent: a matrix and few vectors. */
  readonly wide: Wide | undefined;
  readonly halves: boolean;
  /** Columns packed as constants, else elements of a tensor. */
  readonly packed: boolean;
  readonly size: number;
  /** The device has a right `dot4I8Packed`. */
  readonly dot4: boolean;
}

const IMAGE =
  'x: u32, x_size: u32, pad: u32, c: u32, h: u32, w: u32, sh: u32, sw: u32, dh: u32, dw: u32, pt: u32, pl: u32, ow: Divisor, oh: Divisor, tap: Divisor, kw: Divisor';
const COLUMNS = 'b: u32, b_size: u32, k: u32, b_row: u32, b_column: u32';
const OUTPUT = 'y: u32, ld: u32, bias: u32, bias_step: u32, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32';
const RANGE =
  'rows: u32, columns: u32, words: u32, first_word: u32, end_word: u32, places: u32, first_row: u32, first_column: u32, first_place: u32';
const RECORD: `${typeof IMAGE}, ${typeof COLUMNS}, ${typeof OUTPUT}, ${typeof RANGE}` = `${IMAGE}, ${COLUMNS}, ${OUTPUT}, ${RANGE}`;

/** Fields of a product. */
export type ProductField = Names<typeof RECORD>;

/** One word of a row: lanes of one tap. `first` of a row behind the last lies outside every image. */
const LEFT = (halves: boolean): string => `
struct Line { start: u32, top: u32, left: u32 }
struct Place { x: u32, b: u32, y: u32, channel: u32 }

fn place_of(z: u32) -> Place {
  let t = p.places + 4u * (p.first_place + z);
  return Place(constants[t], constants[t + 1u], constants[t + 2u], constants[t + 3u]);
}
fn line_of(row: u32, place: Place) -> Line {
  if (row >= p.rows) { return Line(0u, 0x40000000u, 0u); }
  let line = quotient(row, p.ow);
  let image = quotient(line, p.oh);
  let top = (line - image * p.oh.n) * p.sh - p.pt;
  let left = (row - line * p.ow.n) * p.sw - p.pl;
  return Line(image * p.h * p.w * p.c + place.x, top, left);
}
fn left_word(line: Line, word: u32) -> u32 {
  let tap = quotient(word, p.tap);
  let ky = quotient(tap, p.kw);
  let iy = line.top + ky * p.dh;
  let ix = line.left + (tap - ky * p.kw.n) * p.dw;
  if (iy >= p.h || ix >= p.w) { return p.pad; }
  let i = line.start + (iy * p.w + ix) * p.c + (word - tap * p.tap.n) * ${halves ? 2 : 4}u;
  ${
    halves
      ? `return (bitcast<u32>(load(p.x, p.x_size, i)) & 0xffffu) | (bitcast<u32>(load(p.x, p.x_size, i + 1u)) << 16u);`
      : `let at = p.x + (i >> 2u);
  let s = (i & 3u) << 3u;
  if (s == 0u) { return arena[at]; }
  return (arena[at] >> s) | (arena[at + 1u] << (32u - s));`
  }
}`;

/** One word of a column; lanes behind the last are 0, which makes those of the row count nothing. */
const RIGHT = ({ packed, halves }: Form): string =>
  packed
    ? `
fn right_word(place: Place, column: u32, word: u32) -> u32 {
  if (column >= p.columns || word >= p.end_word) { return 0u; }
  return constants[p.b + place.b + column * p.words + word];
}`
    : `
fn right_word(place: Place, column: u32, word: u32) -> u32 {
  if (column >= p.columns || word >= p.end_word) { return 0u; }
  var bits = 0u;
  for (var lane = 0u; lane < ${halves ? 2 : 4}u; lane++) {
    let k = word * ${halves ? 2 : 4}u + lane;
    if (k < p.k) {
      let v = bitcast<u32>(load(p.b, p.b_size, place.b + column * p.b_column + k * p.b_row));
      bits |= (v & ${halves ? '0xffffu' : '0xffu'}) << (lane * ${halves ? 16 : 8}u);
    }
  }
  return bits;
}`;

/** The sum of the products of two words, mod 2^32. */
function dotOf({ halves, dot4 }: Form): string {
  if (!halves && dot4) return 'fn dot_of(a: u32, b: u32) -> u32 { return bitcast<u32>(dot4I8Packed(a, b)); }';
  const lanes = halves ? [16, 0] : [24, 16, 8, 0];
  const width = halves ? 16 : 24;
  const product = (up: number): string =>
    `bitcast<u32>((bitcast<i32>(a << ${up}u) >> ${width}u) * (bitcast<i32>(b << ${up}u) >> ${width}u))`;
  return `fn dot_of(a: u32, b: u32) -> u32 {\n  return ${lanes.map(product).join(' + ')};\n}`;
}

/** Stores four outputs of a row. Raw ones are added to those of earlier parts of K. */
function store(size: number): string {
  if (size === 2)
    return `
fn store(place: Place, row: u32, column: u32, sums: vec4<u32>) {
  for (var j = 0u; j < 4u; j++) {
    if (column + j < p.columns) {
      let at = p.y + place.y + row * p.ld + column + j;
      if (p.first_word == 0u) { arena[at] = sums[j] + constants[p.bias + (place.channel + column + j) * p.bias_step]; }
      else { arena[at] += sums[j]; }
    }
  }
}`;
  const staged = (j: number): string =>
    `(bitcast<u32>(staged(channel + ${j}u, sums[${j}])) & ${size === 0 ? '0xffu' : '0xffffu'})`;
  const words =
    size === 0
      ? `arena[at] = ${staged(0)} | (${staged(1)} << 8u) | (${staged(2)} << 16u) | (${staged(3)} << 24u);`
      : `arena[at] = ${staged(0)} | (${staged(1)} << 16u);
  if (column + 2u < p.columns) { arena[at + 1u] = ${staged(2)} | (${staged(3)} << 16u); }`;
  return `
fn staged(channel: u32, sum: u32) -> i32 {
  let acc = sum + constants[p.bias + channel * p.bias_step];
  return stage(acc, constants[p.m + channel * p.m_step], p.l, p.zp, p.lo, p.hi);
}
fn store(place: Place, row: u32, column: u32, sums: vec4<u32>) {
  if (column >= p.columns) { return; }
  let channel = place.channel + column;
  let at = p.y + ((place.y + row * p.ld + column) >> ${2 - size}u);
  ${words}
}`;
}

const FOUR = [0, 1, 2, 3] as const;

/** Words of K a step, and outputs of an invocation by tile: larger blocks read less, smaller ones hold fewer lines. */
const STEP_BITS = 3;
const STEP = 1 << STEP_BITS;
const BLOCKS: Readonly<Record<Wide, readonly [rows: number, columns: number]>> = { 64: [8, 8], 32: [8, 4], 16: [4, 4] };

/**
 * Invocations load words of K for four lines at once, as one vector; the words of a step lie transposed, so that four rows
 * or four columns are one load. Blocks of an invocation lie apart by fours, so that neighbours read neighbours.
 */
function tiled(wide: Wide): string {
  const tall = tallOf(wide);
  const [high, broad] = BLOCKS[wide].map((n) => n >> 2) as [number, number]; // vectors of rows and columns of a block
  const [down, across] = [floorDiv(tall, 4 * high), floorDiv(wide, 4 * broad)]; // invocations below and beside each other
  const group = down * across;
  const count = 4 * high * broad; // vectors of sums of an invocation
  const lines = group >> STEP_BITS; // vectors of four lines that the invocations load at once
  const parts = (vectors: number): number[] =>
    Array.from({ length: Math.max(1, floorDiv(vectors, lines)) }, (_, i) => i);
  const [left, right] = [parts(tall >> 2), parts(wide >> 2)];
  const [rows, columns] = [high, broad].map((n) => Array.from({ length: n }, (_, i) => i)) as [number[], number[]];
  // an odd pitch: the words of a step go to different banks
  const [pitch, side] = [(tall >> 2) + 1, (wide >> 2) + 1];
  const four = (of: (i: number) => string): string => `vec4<u32>(${FOUR.map(of).join(', ')})`;
  const all = (of: (row: number, i: number, column: number) => string): string =>
    rows.flatMap((r) => FOUR.flatMap((i) => columns.map((c) => of(r, i, c)))).join('\n');
  return `
var<workgroup> left: array<vec4<u32>, ${STEP * pitch}>;
var<workgroup> right: array<vec4<u32>, ${STEP * side}>;
@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let place = place_of(group.z);
  let row0 = p.first_row + group.y * ${tall}u;
  let column0 = p.first_column + group.x * ${wide}u;
  let k = lane & ${STEP - 1}u;
  let r = lane >> ${STEP_BITS}u;
${left.flatMap((v) => FOUR.map((i) => `  let line${v}_${i} = line_of(row0 + (r + ${v * lines}u) * 4u + ${i}u, place);`)).join('\n')}
  let ty = lane >> ${31 - Math.clz32(across)}u;
  let tx = lane & ${across - 1}u;
${all((r, i, c) => `  var sum${r}_${i}_${c} = vec4<u32>(0u);`)}
  for (var base = p.first_word; base < p.end_word; base += ${STEP}u) {
    let word = base + k;
${left.map((v) => `    left[k * ${pitch}u + r + ${v * lines}u] = ${four((i) => `left_word(line${v}_${i}, word)`)};`).join('\n')}
    ${wide >> 2 < lines ? `if (r < ${wide >> 2}u) ` : ''}{
      let column = column0 + r * 4u;
${right.map((v) => `      right[k * ${side}u + r + ${v * lines}u] = ${four((i) => `right_word(place, column + ${v * lines * 4 + i}u, word)`)};`).join('\n')}
    }
    workgroupBarrier();
    let steps = min(${STEP}u, p.end_word - base); // no constant: compilers would unroll a body that is large enough
    for (var s = 0u; s < steps; s++) {
${rows.map((r) => `      let a${r} = left[s * ${pitch}u + ty + ${r * down}u];`).join('\n')}
${columns.map((c) => `      let b${c} = right[s * ${side}u + tx + ${c * across}u];`).join('\n')}
${all((r, i, c) => `      sum${r}_${i}_${c} += ${four((j) => `dot_of(a${r}[${i}], b${c}[${j}])`)};`)}
    }
    workgroupBarrier();
  }
  // a loop: the output stage once, not for every vector
  for (var i = 0u; i < ${count}u; i++) {
    var sums = sum0_0_0;
    switch (i) {
${all((r, i, c) => `      case ${((r << 2) + i) * broad + c}u: { sums = sum${r}_${i}_${c}; }`)}
      default: {}
    }
    let line = i >> ${broad - 1}u;
    let row = row0 + (ty + (line >> 2u) * ${down}u) * 4u + (line & 3u);
    let column = column0 + (tx + (i & ${broad - 1}u) * ${across}u) * 4u;
    if (row < p.rows) { store(place, row, column, sums); }
  }
}`;
}

const VECTOR = `
var<workgroup> part_of: array<vec4<u32>, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let place = place_of(group.z);
  let row = p.first_row + group.y;
  let column = p.first_column + group.x * 4u;
  let line = line_of(row, place);
  var sum = vec4<u32>(0u);
  for (var word = p.first_word + lane; word < p.end_word; word += ${LANES}u) {
    let a = left_word(line, word);
    sum += vec4<u32>(${FOUR.map((j) => `dot_of(a, right_word(place, column + ${j}u, word))`).join(', ')});
  }
  part_of[lane] = sum;
  workgroupBarrier();
  for (var half = ${LANES >> 1}u; half > 0u; half >>= 1u) {
    if (lane < half) { part_of[lane] += part_of[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) { store(place, row, column, part_of[0]); }
}`;

const kernels = new Map<string, Kernel<ProductField>>();

/** The kernel of a variant. */
export function productKernel(f: Form): Kernel<ProductField> {
  const shape = f.wide === undefined ? 'gemv' : `gemm${tallOf(f.wide)}x${f.wide}`;
  const products = f.halves ? 'i16' : f.dot4 ? 'dot4' : 'i8';
  const name = `${shape}_${products}_${f.packed ? 'packed' : 'tensor'}_${['i8', 'i16', 'raw'][f.size]!}`;
  let k = kernels.get(name);
  if (k === undefined) {
    const parts = [LEFT(f.halves), RIGHT(f), dotOf(f), store(f.size), f.wide === undefined ? VECTOR : tiled(f.wide)];
    kernels.set(name, (k = kernel(name, RECORD, parts.join('\n'))));
  }
  return k;
}
