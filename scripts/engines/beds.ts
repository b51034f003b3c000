/**
 * The test beds: which engine runs which backends on which device.
 * @module
 */
import { createRequire } from 'node:module';
import type { Bed } from '../../test/engines/bed.ts';
import { chromium, firefox, firefoxOnScreen } from './browsers.ts';
import { oldLavapipe, type Pinned, pinned, SWIFTSHADER, vulkan } from './install.ts';
import { inPage, inProcess, type Job } from './run.ts';

/** A test bed. */
export interface TestBed {
  readonly engine: string;
  readonly backends: readonly string[];
  /** What it needs of npm. */
  readonly pinned: readonly Pinned[];
  /** The backend must be refused, with this in its reason. */
  readonly refuses?: RegExp;
  run(job: Job): Promise<Bed>;
}

/** Modes of gpu.js where there is WebGL and WebGPU. */
const GPUJS = ['gpujs-cpu', 'gpujs-webasm', 'gpujs-webgl2', 'gpujs-webgpu'];

/** A version of Node: all that runs on processors. */
function node(name: Pinned): TestBed {
  return {
    engine: 'Node',
    backends: ['reference', 'wasm', 'wasm:2', 'gpujs-cpu', 'gpujs-webasm'],
    pinned: [name],
    run: (job) => inProcess(job, pinned(name, 'bin/node'), []),
  };
}

const DAWN = `import { create, globals } from ${JSON.stringify(createRequire(import.meta.url).resolve('webgpu'))};
Object.assign(globalThis, globals);
globalThis.gpu = create([]);`;

/** Dawn in this Node. */
function dawn(env: () => Record<string, string>): TestBed {
  return {
    engine: 'Node with Dawn',
    backends: ['webgpu'],
    pinned: [],
    run: (job) => inProcess({ ...job, env: env() }, process.execPath, [], DAWN),
  };
}

function deno(env: () => Record<string, string>): Pick<TestBed, 'engine' | 'pinned' | 'run'> {
  return {
    engine: 'Deno',
    pinned: ['deno'],
    run: (job) =>
      inProcess({ ...job, env: env() }, process.execPath, [
        pinned('deno', 'bin.cjs'),
        'run',
        '--unstable-webgpu',
        '-A',
      ]),
  };
}

/** OpenGL over the Vulkan driver of the environment. */
const ZINK = { LIBGL_ALWAYS_SOFTWARE: '1', MESA_LOADER_DRIVER_OVERRIDE: 'zink', GALLIUM_DRIVER: 'zink' };

/** Firefox with WebGL, by the system’s OpenGL. */
function firefoxGl(env: Readonly<Record<string, string>>, backends: readonly string[]): TestBed {
  return {
    engine: 'Firefox',
    backends,
    pinned: ['puppeteer-core'],
    run: (job) => inPage(job, firefoxOnScreen(job.folder, job.say, env)),
  };
}

const own = (): Record<string, string> => ({});

/** The beds by name. The first hold the rest against Node’s reference. */
export const BEDS: Readonly<Record<string, TestBed>> = {
  node20: node('node20'),
  node22: node('node22'),
  node24: node('node24'),
  bun: {
    engine: 'Bun',
    backends: ['reference', 'wasm', 'wasm:2'],
    pinned: ['bun'],
    run: (job) => inProcess(job, pinned('bun', 'bin/bun.exe'), []),
  },
  dawn: dawn(own),
  swiftshader: dawn(() => vulkan(SWIFTSHADER)),
  deno: { ...deno(own), backends: ['webgpu', 'wasm', 'wasm:2'] },
  chromium: {
    engine: 'Chromium',
    backends: ['webgpu', 'webgl', ...GPUJS, 'wasm', 'wasm:2'],
    pinned: ['playwright-core'],
    run: (job) => inPage(job, chromium(job.folder, job.say)),
  },
  firefox: {
    engine: 'Firefox',
    backends: ['webgpu', 'wasm', 'wasm:2'],
    pinned: ['puppeteer-core'],
    run: (job) => inPage(job, firefox(job.folder, job.say)),
  },
  'firefox-webgl': firefoxGl(ZINK, ['webgl', 'gpujs-webgl2']),
  'llvmpipe-22': { ...firefoxGl({}, ['webgl']), refuses: /HostError.*65,536 turns/ },
  'lavapipe-22': { ...deno(() => vulkan(oldLavapipe())), backends: ['webgpu'], refuses: /HostError.*65,536 turns/ },
};

/** A page for any browser: a person opens it. */
export const PAGE: TestBed = {
  engine: 'page',
  backends: ['webgpu', 'wasm', 'wasm:2'],
  pinned: [],
  run: (job) =>
    inPage(job, async (url) => {
      console.log(`open ${url}`);
      return async () => undefined;
    }),
};
