/**
 * Kernels over elements as fragment shaders. Their WGSL is typed throughout (`let n: u32 = …`), so that GLSL ES 3.00 follows
 * from it word by word: both languages have the same operators on 32-bit integers, and the kernels use nothing that either
 * leaves open (spec/30-execution.md §3).
 * @module
 */
import { assert } from '../../core/errors.ts';
import type { Kernel } from '../webgpu/kernel.ts';
import { calls } from '../webgpu/pages.ts';
import { PRELUDE } from '../webgpu/prelude.ts';

/** Words of a record: four in each vector of the uniform. */
const RECORD_VECTORS = 16;

/** What WGSL has and GLSL has not, and the memory: textures of four words a texel. */
const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D arena_of;
uniform usampler2D constants_of;
uniform uvec4 record[${RECORD_VECTORS}];
uniform uint arena_shift;     // log2 of the texels in a row
uniform uint constants_shift;
uniform uint top_row;         // row of the arena that is row 0 of the target
out uvec4 texel;
uvec4 arena_quad(uint word) {
  uint i = word >> 2u;
  return texelFetch(arena_of, ivec2(i & ((1u << arena_shift) - 1u), i >> arena_shift), 0);
}
uvec4 constants_quad(uint word) {
  uint i = word >> 2u;
  return texelFetch(constants_of, ivec2(i & ((1u << constants_shift) - 1u), i >> constants_shift), 0);
}
uint one_of(uvec4 v, uint i) {
  uvec2 half_of = (i & 2u) == 0u ? v.xy : v.zw;
  return (i & 1u) == 0u ? half_of.x : half_of.y;
}
uint arena_word(uint i) { return one_of(arena_quad(i), i); }
uint constants_word(uint i) { return one_of(constants_quad(i), i); }
uint select(uint f, uint t, bool c) { return c ? t : f; }
int select(int f, int t, bool c) { return c ? t : f; }
bool select(bool f, bool t, bool c) { return c ? t : f; }
uint countLeadingZeros(uint v) {
  uint n = 32u;
  for (uint i = 0u; i < 32u; i++) { if (((v >> i) & 1u) == 1u) { n = 31u - i; } }
  return n;
}
`;

/** The texel of this fragment: words of y that the dispatch does not reach stay what they are in the arena. */
const ELEMENTS = `
void main() {
  uvec2 at = uvec2(gl_FragCoord.xy);
  uint first = ((((at.y + top_row) << arena_shift) + at.x) << 2u) - p_y;
  uint lanes = 4u >> p_y_size;
  uint width = 8u << p_y_size;
  uvec4 words = uvec4(0u);
  for (uint k = 0u; k < 4u * lanes; k++) {
    uint lane = k & (lanes - 1u);
    uint j = k >> (2u - p_y_size);
    uint i = (first + j) * lanes + lane;
    if (first + j >= p_first && first + j < p_end && i < p_count) {
      uint bits = (uint(element(i)) & (0xffffffffu >> (32u - width))) << (lane * width);
      words |= uvec4(j == 0u ? bits : 0u, j == 1u ? bits : 0u, j == 2u ? bits : 0u, j == 3u ? bits : 0u);
    }
  }
  texel = kept_or(words, first, p_first, p_end);
}`;

/** As above; \`first\` and \`end\` count fours. The tensor begins at a texel. */
const FOURS = `
void main() {
  uvec2 at = uvec2(gl_FragCoord.xy);
  uint first = ((((at.y + top_row) << arena_shift) + at.x) << 2u) - p_y;
  uint number = 4u >> p_y_size;
  uvec4 words = uvec4(0u);
  for (uint k = 0u; k < number; k++) {
    uint i = (first >> p_y_size) + k;
    if (i >= p_first && i < p_end) {
      uvec4 v = four(i);
      if (p_y_size == 2u) { words = v; }
      else if (p_y_size == 1u) {
        uvec2 two = uvec2((v.x & 0xffffu) | (v.y << 16u), (v.z & 0xffffu) | (v.w << 16u));
        words |= k == 0u ? uvec4(two, 0u, 0u) : uvec4(0u, 0u, two);
      } else {
        uint one = (v.x & 0xffu) | ((v.y & 0xffu) << 8u) | ((v.z & 0xffu) << 16u) | (v.w << 24u);
        words |= uvec4(k == 0u ? one : 0u, k == 1u ? one : 0u, k == 2u ? one : 0u, k == 3u ? one : 0u);
      }
    }
  }
  texel = kept_or(words, first, p_first << p_y_size, p_end << p_y_size);
}`;

const KEPT = `
uvec4 kept_or(uvec4 words, uint first, uint from, uint to) {
  uvec4 n = first + uvec4(0u, 1u, 2u, 3u);
  bvec4 inside = bvec4(n.x >= from && n.x < to, n.y >= from && n.y < to, n.z >= from && n.z < to, n.w >= from && n.w < to);
  if (all(inside)) { return words; }
  uvec4 before = arena_quad(first + p_y);
  return uvec4(inside.x ? words.x : before.x, inside.y ? words.y : before.y, inside.z ? words.z : before.z, inside.w ? words.w : before.w);
}`;

const TYPES: Readonly<Record<string, string>> = {
  u32: 'uint',
  i32: 'int',
  'vec3<u32>': 'uvec3',
  'vec4<u32>': 'uvec4',
  'vec4<i32>': 'ivec4',
};
const TYPE = '(?:vec[34]<[ui]32>|u32|i32|bool|[A-Z]\\w*)';

function typeOf(wgsl: string): string {
  return TYPES[wgsl] ?? wgsl;
}

/** WGSL of a kernel's body as GLSL. */
function translated(wgsl: string): string {
  const code = wgsl
    .replace(/\/\/.*$/gm, '')
    .replace(new RegExp(`\\bfn (\\w+)\\(([^)]*)\\) -> (${TYPE})`, 'g'), (_, name, list: string, type) => {
      const own = list.replace(new RegExp(`(\\w+): (${TYPE})`, 'g'), (_m, n, t) => `${typeOf(t)} ${n}`);
      return `${typeOf(type)} ${name}(${own})`;
    })
    .replace(/\bvar (\w+): array<i32, (\d+)>;/g, 'int $1[$2];')
    .replace(new RegExp(`\\b(?:let|var) (\\w+): (${TYPE}) =`, 'g'), (_, name, type) => `${typeOf(type)} ${name} =`)
    .replace(new RegExp(`\\bbitcast<(${TYPE})>`, 'g'), (_, type) => typeOf(type))
    .replace(/\bcase (\w+): \{(.*)\}$/gm, 'case $1: {$2 break; }')
    .replace(/\b(?:vec[34]<[ui]32>|[ui]32)(?=\()/g, (type) => typeOf(type))
    .replace(/\bp\.(\w+)/g, 'p_$1');
  const out = calls(calls(code, 'arena'), 'constants');
  const left = /\b(let|var|fn|bitcast|array)\b|->/.exec(out);
  assert(left === null, `a kernel has WGSL that GLSL lacks: ${left?.[0]}`);
  return out;
}

/** Fields of the record as expressions over the uniform. */
function fieldsOf(record: string): string {
  let at = 0;
  const word = (): string => `record[${at >> 2}].${'xyzw'[at++ & 3]}`;
  return record
    .split(', ')
    .map((f) => {
      const [name, type] = f.split(': ') as [string, string];
      if (type === 'Divisor') return `#define p_${name} Divisor(${word()}, ${word()}, ${word()})`;
      return `#define p_${name} ${type === 'i32' ? `int(${word()})` : word()}`;
    })
    .join('\n');
}

/** Functions of the prelude; its bindings are WebGPU's. */
const SHARED = /* @__PURE__ */ PRELUDE.slice(PRELUDE.indexOf('// floor(a·b'));

/** The fragment shader of a kernel over elements. */
export function fragmentShader({ name, body }: Kernel): string {
  assert(body !== undefined, `the kernel ${name} is none over elements`);
  return `${HEAD}struct Divisor { uint n; uint mul; uint shift; };
${fieldsOf(body.record)}
${translated(SHARED)}${translated(body.code)}${KEPT}${body.fours ? FOURS : ELEMENTS}
`;
}

/** One triangle that covers the target. */
export const VERTEX_SHADER = `#version 300 es
void main() {
  gl_Position = vec4(float((gl_VertexID & 1) << 2) - 1.0, float((gl_VertexID & 2) << 1) - 1.0, 0.0, 1.0);
}
`;
