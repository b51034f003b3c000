/** The webgl backend as far as it needs no context: shaders from kernels, layouts of textures. Contexts: npm run engines. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rectsOf } from '../../src/backends/webgl/area.ts';
import { fragmentShader } from '../../src/backends/webgl/glsl.ts';
import { GL_KERNELS } from '../../src/backends/webgl/kernels.ts';
import { Builder } from '../../src/backends/webgpu/builder.ts';
import { elementKernel, type Kernel, kernel } from '../../src/backends/webgpu/kernel.ts';
import { prepareNode } from '../../src/backends/webgpu/kernels.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { bind, createPlan } from '../../src/runtime/plan.ts';
import { createSession } from '../../src/runtime/session.ts';
import { createWebGl } from '../../src/webgl.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { randomGraph } from '../support/recipes.ts';
import { FC } from './wasm-harness.ts';

const GRAPHS = 300;

/** Kernels that the plans of random graphs take, by name, and the ops that the graphs have. */
function kernelsOf(work: number): { readonly kernels: ReadonlyMap<string, Kernel>; readonly ops: ReadonlySet<OpName> } {
  const kernels = new Map<string, Kernel>();
  const ops = new Set<OpName>();
  for (let seed = 0; seed < GRAPHS; seed++) {
    const model = loadModel(encodeModel(randomGraph(40_000_000 + seed)));
    const plan = createPlan(bind(model, Object.fromEntries(model.symbols.map((s) => [s.name, s.min]))));
    const b = new Builder(plan, false, { dot4: false, work, least: 4 });
    for (const n of plan.nodes) {
      ops.add(n.op);
      prepareNode(n, b, GL_KERNELS);
    }
    for (const { kernel } of b.dispatches()) kernels.set(kernel.code, kernel);
  }
  return { kernels, ops };
}

describe('shaders', () => {
  it('every op has one, in words that GLSL has', () => {
    const { kernels, ops } = kernelsOf(2 ** 20);
    expect([...ops].sort()).toEqual(Object.keys(OPS).sort());
    for (const k of kernels.values()) {
      const text = fragmentShader(k);
      expect(text.startsWith('#version 300 es\n'), k.name).toBe(true);
      expect(text, k.name).not.toMatch(/\b(let|var|fn|bitcast|array|u32|i32)\b|vec\d<|->|\barena\[|\bconstants\[/);
      for (const [name] of k.fields) expect(text, k.name).toContain(`#define p_${name} `);
      const used = new Set([...text.matchAll(/\bp_(\w+)/g)].map((m) => m[1]!));
      for (const name of used) expect(text, `${k.name}: p_${name}`).toContain(`#define p_${name} `);
      for (const [open, close] of ['()', '[]', '{}'])
        expect(text.split(open!).length, `${k.name}: ${open}`).toBe(text.split(close!).length);
    }
  });

  it('a kernel word by word', () => {
    const own = elementKernel(
      'own',
      'x: u32, d: Divisor, lo: i32',
      `
fn other(a: u32, v: vec3<u32>) -> vec4<i32> { return bitcast<vec4<i32>>(vec4<u32>(a) << vec4<u32>(v.x)); } // words
fn element(i: u32) -> i32 {
  var column: array<i32, 2>;
  let at: u32 = quotient(i, p.d);
  for (var k: u32 = 0u; k < p.d.n; k++) { column[k] = bitcast<i32>(arena[p.x + constants[at + k]]); }
  return max(column[0], p.lo);
}`,
    );
    const text = fragmentShader(own);
    expect(text).toContain('#define p_x record[0].x\n#define p_d Divisor(record[0].y, record[0].z, record[0].w)\n');
    expect(text).toContain('#define p_lo int(record[1].x)');
    expect(text).toContain(`
ivec4 other(uint a, uvec3 v) { return ivec4(uvec4(a) << uvec4(v.x)); } 
int element(uint i) {
  int column[2];
  uint at = quotient(i, p_d);
  for (uint k = 0u; k < p_d.n; k++) { column[k] = int(arena_word(p_x + constants_word(at + k))); }
  return max(column[0], p_lo);
}`);
  });

  it('what GLSL has not is refused', () => {
    const untyped = elementKernel('own', 'x: u32', 'fn element(i: u32) -> i32 { let a = 1; return a; }');
    expect(() => fragmentShader(untyped)).toThrow('WGSL that GLSL lacks: let');
    expect(() => fragmentShader(kernel('own', 'x: u32', 'fn main() {}'))).toThrow('none over elements');
  });
});

describe('rectangles of a texture', () => {
  it('cover a range, once and in order, within rows', () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.nat(5000),
        fc.integer({ min: 3, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        (a, n, shift, rows) => {
          const seen: number[] = [];
          for (const { x, y, w, h, from } of rectsOf(a, a + n, shift, rows)) {
            expect(from).toBe(seen.length);
            expect(x + w).toBeLessThanOrEqual(2 ** shift);
            expect(h).toBeLessThanOrEqual(rows);
            for (let i = 0; i < w * h; i++) seen.push((y + Math.floor(i / w)) * 2 ** shift + x + (i % w));
          }
          expect(seen).toEqual(Array.from({ length: n }, (_, i) => a + i));
        },
      ),
      FC,
    );
  });

  it('a range within bounds takes at most three', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), fc.integer({ min: 3, max: 9 }), (a, n, shift) => {
        expect(rectsOf(a, a + n, shift, 10_000).length).toBeLessThanOrEqual(3);
      }),
      FC,
    );
  });
});

it('without WebGL2 it is no backend of this machine, and the next one runs', async () => {
  const model = loadModel(fileOf(MODELS[0]!));
  await expect(createSession(model, { backend: 'webgl' })).rejects.toMatchObject({ code: 'NoBackend' });
  const none = createWebGl({ context: () => null });
  await expect(createSession(model, { backend: none })).rejects.toMatchObject({ code: 'NoBackend' });
  const session = await createSession(model, { backend: [none, 'wasm'] });
  expect(session.backend).toBe('wasm');
});
