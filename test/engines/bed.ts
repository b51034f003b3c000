/**
 * What an engine runs to show that it gives the same bits: the conformance suite on its WebGPU and on its WebAssembly.
 * Bundled by scripts/engines.ts; it needs nothing of Node.
 * @module
 */
import { type ConformanceReport, runConformance } from '../../src/conformance.ts';
import { createWebGpu } from '../../src/webgpu.ts';

/** One backend's part. */
export interface Part {
  readonly backend: string;
  readonly ms: number;
  readonly report: ConformanceReport;
}

/** What an engine says. */
export interface Bed {
  readonly adapter: string;
  readonly packedDots: boolean;
  readonly parts: readonly Part[];
}

async function part(backend: 'wasm' | ReturnType<typeof createWebGpu>): Promise<Part> {
  const begun = performance.now();
  let last = begun;
  const progress = (done: number, of: number): void => {
    if (performance.now() - last < 10_000) return;
    last = performance.now();
    console.log(`${done} of ${of} models`);
  };
  const report = await runConformance(backend, { progress });
  const name = typeof backend === 'string' ? backend : backend.name;
  return { backend: name, ms: Math.round(performance.now() - begun), report };
}

/** Runs the suite on this engine. @throws Error without an adapter */
export async function bed(gpu: GPU = navigator.gpu): Promise<Bed> {
  const adapter = await gpu?.requestAdapter();
  if (adapter == null) throw new Error('no WebGPU adapter');
  const { vendor, architecture, description } = adapter.info ?? {};
  const { maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = adapter.limits;
  const limits = `${maxStorageBufferBindingSize} bytes a binding, ${maxComputeWorkgroupStorageSize} a workgroup`;
  const packedDots = gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false;
  const parts = [await part(createWebGpu({ gpu, timeout: 300_000 })), await part('wasm')];
  return {
    adapter: `${[vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed'} (${limits})`,
    packedDots,
    parts,
  };
}

Object.assign(globalThis, { bed });
