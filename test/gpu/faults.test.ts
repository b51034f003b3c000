/** Devices that compute wrongly, vanish or fall silent: refused by the probe, or caught and told as a HostError. */
import { describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { HostError } from '../../src/core/errors.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { fileOf, inputsOf, MODELS } from '../support/golden-models.ts';
import { GPU_API } from './dawn.ts';
import { cutLoops, type Fault, faulty } from './faulty.ts';

const CLASSIFIER = MODELS.find((g) => g.name.startsWith('a classifier of images'))!;
const model = loadModel(fileOf(CLASSIFIER));
const run = CLASSIFIER.runs[0]!;
const inputs = inputsOf(model, run);

function backendOf(fault: Fault, options: { timeout?: number } = {}) {
  return createWebGpu({ gpu: faulty(GPU_API, fault), ...options });
}

async function failure(fault: Fault, options: { timeout?: number } = {}): Promise<string> {
  try {
    const session = await createSession(model, { backend: backendOf(fault, options) });
    await session.run(inputs);
  } catch (e) {
    if (e instanceof HostError) return `${e.code}: ${e.message}`;
    throw e;
  }
  return 'no failure';
}

/** Replaces a text that must be there. */
function replaced(text: string, by: string): (code: string) => string {
  return (code) => code.replaceAll(text, by);
}

describe('the probe refuses', () => {
  it.each<[what: string, check: string, shader: (code: string) => string]>([
    ['loops cut at 65,535 turns', 'a loop of more than 65,536 turns', cutLoops(false)],
    ['all loops of an invocation cut at 65,535 turns', 'a loop of more than 65,536 turns', cutLoops(true)],
    [
      'nested loops cut at 65,535 turns together',
      'nested loops of more than 65,536 turns',
      (code) =>
        code
          .replace('for (var i = 0u; i < p.outer', 'var turns = 0u; for (var i = 0u; i < p.outer')
          .replace('{ s = s * 22695477u', '{ if (turns >= 65535u) { break; } turns++; s = s * 22695477u'),
    ],
    [
      'a left shift that is not masked',
      'shift left by 32',
      replaced('a << (b & 63u)', 'select(a << (b & 31u), 0u, (b & 63u) > 31u)'),
    ],
    [
      'a right shift that is not masked',
      'shift right by 32',
      replaced('v = a >> (b & 63u)', 'v = select(a >> (b & 31u), 0u, (b & 63u) > 31u)'),
    ],
    [
      'a logical right shift of i32',
      'arithmetic shift',
      replaced('bitcast<u32>(bitcast<i32>(a) >> (b & 63u))', '(a >> (b & 63u))'),
    ],
    ['a product of 24 bits', 'wrapping product', replaced('v = a * b', 'v = (a & 0xffffffu) * (b & 0xffffffu)')],
    ['a sum that saturates', 'wrapping sum', replaced('v = a + b', 'v = select(a + b, 0xffffffffu, a + b < a)')],
    ['rounding off by one', 'mulhr', replaced('32768u;', '32767u;')],
    ['limbs without their carry, on which every index hangs', '', replaced('+ (middle >> 16u)', '')],
    [
      'a comparison of u32 as signed',
      'unsigned order',
      replaced('select(0u, 1u, a < b)', 'select(0u, 1u, bitcast<i32>(a) < bitcast<i32>(b))'),
    ],
    ['barriers that let go', 'a barrier', replaced('shared_of[lane + half]', 'shared_of[min(lane + half, 31u)]')],
    [
      'memory of a workgroup that is not zeroed',
      'a barrier',
      replaced('zeros[63u - lane]', '(zeros[63u - lane] + 1u)'),
    ],
    [
      'stores that reach their neighbours',
      'a word that nobody wrote',
      replaced('arena[8u + lane] = 7u + lane;', 'arena[8u + lane] = 7u + lane; arena[13u] = 1u;'),
    ],
    ['writes out of bounds that land', 'a word that nobody wrote', replaced('arena[p.far] = 99u', 'arena[6] = 99u')],
  ])('%s', async (_, check, shader) => {
    let changed = false;
    const watched = (code: string): string => {
      const out = shader(code);
      changed ||= out !== code;
      return out;
    };
    expect(await failure({ shader: watched })).toMatch(new RegExp(`^SelfTest: the GPU computes ${check}.* wrongly`));
    expect(changed).toBe(true);
  });
});

it('Dawn without a driver, which computes nothing, is refused', async () => {
  const gpu = create(['backend=null']);
  const nothing = createSession(model, { backend: createWebGpu({ gpu }) });
  await expect(nothing).rejects.toMatchObject({ code: 'SelfTest' });
});

it('packed dots that saturate are not used', async () => {
  const saturated = 'fn saturated(a: u32, b: u32) -> i32 { return clamp(dot4I8Packed(a, b), -32768, 32767); }';
  const shader = (code: string): string =>
    code.replaceAll('dot4I8Packed(', 'saturated(').replace('struct Divisor', `${saturated}\nstruct Divisor`);
  const session = await createSession(model, { backend: backendOf({ shader }) });
  expect((await session.run(inputs)).digest).toBe(run.digest);
  expect(
    session
      .explain()
      .kernels.map((k) => k.kernel)
      .join(),
  ).not.toContain('dot4');
  const sound = await createSession(model, { backend: createWebGpu({ gpu: GPU_API }) });
  expect(
    sound
      .explain()
      .kernels.map((k) => k.kernel)
      .join(),
  ).toContain('dot4');
});

/** Calls `strike` at submission `n` after the probe’s three. */
function atSubmission(n: number, strike: (device: GPUDevice) => void): Fault {
  return {
    device(device) {
      let count = 0;
      const { queue } = device;
      const submit = (buffers: GPUCommandBuffer[]): void => {
        if (++count === n + 3) strike(device);
        queue.submit(buffers);
      };
      const writeBuffer = queue.writeBuffer.bind(queue);
      return { queue: { submit, writeBuffer, onSubmittedWorkDone: () => queue.onSubmittedWorkDone() } };
    },
  };
}

/** Buffers to read from that are never mapped after the probe. */
const SILENT: Fault = {
  device(device) {
    let readers = 0;
    const createBuffer = (d: GPUBufferDescriptor): GPUBuffer => {
      const buffer = device.createBuffer(d);
      if (d.label === 'results' && ++readers > 3)
        Object.defineProperty(buffer, 'mapAsync', { value: () => new Promise(() => {}) });
      return buffer;
    };
    return { createBuffer };
  },
};

describe('while it works', () => {
  it('a device that is lost before the first or the second submission of a run', async () => {
    for (const n of [1, 2]) expect(await failure(atSubmission(n, (d) => d.destroy()))).toMatch(/^DeviceFailed: /);
  });

  it('a queue that never answers', async () => {
    expect(await failure(SILENT, { timeout: 2000 })).toMatch(/^DeviceFailed: run: the GPU does not answer/);
  });

  it('another backend takes over, with the same bits', async () => {
    const lost = backendOf(atSubmission(1, (d) => d.destroy()));
    const session = await createSession(model, { backend: [lost, 'wasm'] });
    expect(session.backend).toBe('webgpu');
    expect((await session.run(inputs)).digest).toBe(run.digest);
    expect(session.backend).toBe('wasm');
  });

  it('after a loss the same session runs on a new device', async () => {
    let devices = 0;
    const loss = atSubmission(1, (d) => d.destroy());
    const session = await createSession(model, {
      backend: backendOf({ device: (d) => (devices++ === 0 ? loss.device!(d) : {}) }),
    });
    await expect(session.run(inputs)).rejects.toThrow(HostError);
    expect((await session.run(inputs)).digest).toBe(run.digest);
    expect(devices).toBe(2);
  });

  it('nothing is read of memory that was not written', async () => {
    const device = (d: GPUDevice): Record<string, unknown> => {
      let arenas = 0;
      const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
        const buffer = d.createBuffer(descriptor);
        if (descriptor.label === 'arena' && ++arenas > 3)
          d.queue.writeBuffer(buffer, 0, new Uint8Array(descriptor.size).fill(0xa5));
        return buffer;
      };
      return { createBuffer };
    };
    const backend = backendOf({ device });
    for (const g of MODELS.filter((_, i) => i % 3 === 0)) {
      const m = loadModel(fileOf(g));
      const session = await createSession(m, { backend });
      for (const r of g.runs) expect((await session.run(inputsOf(m, r))).digest, g.name).toBe(r.digest);
      session.dispose();
    }
  });

  it('too little room, a kernel that does not compile, no adapter, no WebGPU', async () => {
    const limits = (d: GPUDevice): Record<string, unknown> => {
      const { maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = d.limits;
      return { limits: { maxBufferSize: 64, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } };
    };
    expect(await failure({ device: limits })).toMatch(/^NoMemory: the tensors and constants of the plan exceed/);
    const broken = replaced('fn left_word', 'fn left_words');
    expect(await failure({ shader: broken })).toMatch(/^DeviceFailed: kernel gem/);
    expect(await failure({ adapter: null })).toMatch(/^NoBackend: WebGPU finds no adapter/);
  });

  it('a signal ends a run between submissions, and the next run is right', async () => {
    const session = await createSession(model, { backend: createWebGpu({ gpu: GPU_API }) });
    const control = new AbortController();
    const running = session.run(inputs, { signal: control.signal });
    control.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect((await session.run(inputs, { signal: new AbortController().signal })).digest).toBe(run.digest);
  });
});

it('trace keeps every tensor', async () => {
  const [traced, expected] = await Promise.all(
    [createWebGpu({ gpu: GPU_API }), 'reference' as const].map(async (backend) => {
      const session = await createSession(model, { backend, mode: 'trace' });
      expect((await session.run(inputs)).digest).toBe(run.digest);
      return session.trace();
    }),
  );
  expect(traced!.size).toBe(expected!.size);
  for (const [id, data] of expected!) expect(traced!.get(id), `tensor ${id}`).toEqual(data);
});
