/** The gpujs backend over a stand-in that runs its kernels in 32-bit floats. The package itself: npm run engines. */
import { describe, expect, it } from 'vitest';
import { type GpuJsLibrary, shapeOf } from '../../src/backends/gpujs/gemm.ts';
import { runConformance } from '../../src/conformance.ts';
import { HostError } from '../../src/core/errors.ts';
import { createGpuJs } from '../../src/gpujs.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { fileOf, inputsOf, MODELS } from '../support/golden-models.ts';
import { agree, Random, stageFor } from './wasm-harness.ts';

/** What is wrong with a stand-in. */
interface Fault {
  /** Rounds every result; a float by default. */
  readonly round?: (v: number) => number;
  /** What a texture makes of an element. */
  readonly texture?: (v: number) => number;
  /** Rows of an output that are drawn. */
  readonly lines?: number;
  /** Rewrites a kernel. */
  readonly source?: (source: string) => string;
  /** The mode that an instance says it has. */
  readonly mode?: string;
  /** Before every call of a kernel. */
  readonly call?: () => void;
}

/** As much of gpu.js as the backend uses, every operation rounded to a float. */
function library(fault: Fault = {}): GpuJsLibrary {
  const {
    round = Math.fround,
    texture = (v) => v,
    lines = 1e9,
    source: rewritten = (s) => s,
    mode: said,
    call,
  } = fault;
  const input = (value: Float32Array, [width]: readonly number[]) =>
    Array.from({ length: value.length / width! }, (_, i) => value.slice(i * width!, (i + 1) * width!).map(texture));
  class GPU {
    readonly mode: string;
    constructor({ mode }: { readonly mode: string }) {
      this.mode = said ?? mode;
    }
    createKernel(source: string, settings: Record<string, unknown>) {
      const rounded = rewritten(source)
        .replace(/(\w+) \+= (.*);/g, '$1 = round($1 + round($2));')
        .replace(/const h = (.*);/, 'const h = round($1);');
      const f = new Function('round', `return ${rounded}`)(round) as (a: unknown, b: unknown) => number[];
      const [n, m] = settings['output'] as readonly [number, number];
      const kernel = (a: unknown, b: unknown): number[][][] => {
        call?.();
        const at = (x: number, y: number) =>
          (y < lines ? f : () => [0, 0]).call({ thread: { x, y }, constants: settings['constants'] }, a, b);
        return Array.from({ length: m }, (_, y) => Array.from({ length: n }, (_, x) => at(x, y)));
      };
      return Object.assign(kernel, { destroy: () => undefined });
    }
  }
  return { GPU, input };
}

const exact = createGpuJs({ library: library() });

async function failure(fault: Fault): Promise<string> {
  const model = loadModel(fileOf(MODELS.find((g) => g.name.startsWith('a classifier of images'))!));
  try {
    await createSession(model, { backend: createGpuJs({ library: library(fault) }) });
  } catch (e) {
    if (e instanceof HostError) return `${e.code}: ${e.message}`;
    throw e;
  }
  return 'no failure';
}

describe('shapes', () => {
  it('chunks hold at most 2^24', () => {
    expect(shapeOf(1, 4096, 1, 128, 128)).toMatchObject({ chunks: 4, chunk: 1024 });
    expect(shapeOf(1, 1025, 1, 128, 128)).toMatchObject({ chunks: 2, chunk: 513, length: 1026 });
    expect(shapeOf(1, 9, 1, 128, 128)).toMatchObject({ chunks: 1, chunk: 9 });
    expect(shapeOf(5000, 9, 1, 128, 128)).toMatchObject({ rows: 2048 });
    expect(shapeOf(1, 4096, 1, 128, 2040)).toMatchObject({ chunks: 64, chunk: 64 });
  });

  it('what floats cannot hold, or a call cannot carry, is not theirs', () => {
    expect(shapeOf(1, 100, 1, 32768, 128)).toBeUndefined(); // 4 products
    expect(shapeOf(1, 100, 1, 2047, 128)).toBeDefined();
    expect(shapeOf(1, 100, 1, 2048, 1)).toBeUndefined();
    expect(shapeOf(1, 2 ** 20 + 1, 1, 128, 128)).toBeUndefined();
    expect(shapeOf(1, 2 ** 12, 2 ** 11, 128, 128)).toBeUndefined();
    expect(shapeOf(1, 1, 2049, 128, 128)).toBeUndefined();
    expect(shapeOf(0, 1, 1, 128, 128)).toBeUndefined();
    expect(shapeOf(1, 0, 1, 128, 128)).toBeUndefined();
  });
});

it('the conformance suite, every fourth case', { timeout: 300_000 }, async () => {
  const { CASES } = await import('../../src/conformance/cases.gen.ts');
  const cases = (JSON.parse(CASES) as []).filter((_, i) => i % 4 === 0);
  expect((await runConformance(exact, { cases })).differences).toEqual([]);
});

describe('products', () => {
  const constant = (r: Random, shape: number[]) => r.tensor('i8', shape, { constant: true });

  it.each([1, 64, 1023, 1024, 1025, 3000])('dense of %i terms, odd and extreme', async (k) => {
    const r = new Random(k);
    for (const fill of [-128, 127, undefined]) {
      const x = r.tensor('i8', [3, k], { zp: r.pick([-128, 0, 127]) });
      const w = constant(r, [5, k]);
      if (fill !== undefined) for (const t of [x, w]) t.data.fill(fill);
      const b = r.tensor('i32', [5], { lo: -999999, hi: 999999, constant: true });
      for (const stage of [undefined, stageFor(r, 'i8', 999999 + k * 128 * 255, 5)])
        expect(await agree('dense', [x, w, b], stage === undefined ? {} : { stage }, exact)).toBe('gpujs_webasm');
    }
  });

  it('conv2d with padding, strides and dilations; groups and i16 stay on the processor', async () => {
    const r = new Random(5);
    for (const [dtype, groups, kernel] of [
      ['i8', 1, /^gpujs/],
      ['i8', 2, /^(?!gpujs)/],
      ['i16', 1, /^(?!gpujs)/],
    ] as const) {
      const x = r.tensor(dtype, [2, 7, 6, 4], dtype === 'i8' ? { zp: 5 } : {});
      const w = constant(r, [6, 3, 2, 4 / groups]);
      const b = r.tensor('i32', [6], { lo: -999, hi: 999, constant: true });
      const attrs = { groups, pads: [2, 1, 0, 3], strides: [2, 1], dilations: [1, 2] };
      expect(await agree('conv2d', [x, w, b], attrs, exact)).toMatch(kernel);
    }
  });

  it('matmul in batches, both orders', async () => {
    const r = new Random(6);
    for (const tb of [false, true]) {
      const a = r.tensor('i8', [2, 1, 5, 33], {});
      const b = r.tensor('i8', [3, ...(tb ? [4, 33] : [33, 4])], {});
      expect(await agree('matmul', [a, b], { tb }, exact)).toMatch(/^gpujs/);
    }
  });
});

it('trace keeps every tensor', async () => {
  const g = MODELS.find(({ name }) => name.startsWith('a classifier of images'))!;
  const model = loadModel(fileOf(g));
  const [traced, expected] = await Promise.all(
    [exact, 'reference' as const].map(async (backend) => {
      const session = await createSession(model, { backend, mode: 'trace' });
      await session.run(inputsOf(model, g.runs[0]!));
      return session.trace();
    }),
  );
  expect(traced!.size).toBe(expected!.size);
  for (const [id, data] of expected!) expect(traced!.get(id), `tensor ${id}`).toEqual(data);
});

describe('a gpu.js that is refused', () => {
  it.each<[string, Fault, RegExp]>([
    [
      'floats of 16 bits',
      { round: (v) => Math.fround(Math.trunc(v / 256) * 256) },
      /^SelfTest: gpu.js computes products/,
    ],
    ['textures of 10 bits', { texture: (v) => Math.round(v / 2) * 2 }, /^SelfTest/],
    ['outputs of one element only', { lines: 1 }, /^SelfTest: gpu.js computes products/],
    [
      'a sum without limbs',
      { source: (s) => s.replace('hi += h;', '').replace('lo += s - h * 4096', 'lo += s') },
      /^SelfTest/,
    ],
    [
      'a division that rounds',
      {
        source: (s) =>
          s.replace('Math.floor(', 'Math.round(').replace('s - h * 4096', 's - Math.floor(s * 0.000244140625) * 4096'),
      },
      /^SelfTest/,
    ],
    [
      'loops cut at 65,535 turns',
      { source: (s) => s.replace('let s = 0;', 'let s = 0; if (c * this.constants.chunk > 65535) break;') },
      /^SelfTest: gpu.js computes a loop/,
    ],
    ['another mode than asked for', { mode: 'cpu' }, /^NoBackend: gpu.js has no mode webasm here, but cpu/],
    [
      'a kernel that throws',
      {
        call: () => {
          throw new Error('no texture');
        },
      },
      /^DeviceFailed: gpu.js: no texture/,
    ],
  ])('%s', async (_, fault, message) => {
    expect(await failure(fault)).toMatch(message);
  });

  it('one that fails later: the next backend gives the same bits', async () => {
    let failing = false;
    const call = (): void => {
      if (failing) throw new Error('lost');
    };
    const g = MODELS.find(({ name }) => name.startsWith('a classifier of images'))!;
    const model = loadModel(fileOf(g));
    const session = await createSession(model, { backend: [createGpuJs({ library: library({ call }) }), 'wasm'] });
    const inputs = inputsOf(model, g.runs[0]!);
    expect(session.backend).toBe('gpujs');
    failing = true;
    expect((await session.run(inputs)).digest).toBe(g.runs[0]!.digest);
    expect(session.backend).toBe('wasm');
  });

  it('one that is not installed', async () => {
    const model = loadModel(fileOf(MODELS[0]!));
    await expect(createSession(model, { backend: 'gpujs' })).rejects.toMatchObject({ code: 'NoBackend' });
  });
});
