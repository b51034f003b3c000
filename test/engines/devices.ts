/**
 * What an engine computes on and what it calls itself. It needs nothing of Node.
 * @module
 */
import type { Backend } from '../../src/backends/backend.ts';
import type { BackendName } from '../../src/index.ts';
import { createWebGl } from '../../src/webgl.ts';
import { createWebGpu } from '../../src/webgpu.ts';

/** A backend of this engine and what computes there. */
export interface Subject {
  readonly backend: Backend | BackendName;
  readonly device: string;
}

/** WebGPU of this engine. @throws Error where it has no adapter */
export async function webgpu(): Promise<Subject> {
  const gpu = (globalThis as { gpu?: GPU }).gpu ?? navigator.gpu;
  const adapter = await gpu?.requestAdapter();
  if (adapter == null) throw new Error('no WebGPU adapter');
  const { vendor, architecture, description } = adapter.info ?? {};
  const { maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = adapter.limits;
  const limits = `${maxStorageBufferBindingSize} bytes a binding, ${maxComputeWorkgroupStorageSize} a workgroup`;
  const packed = gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ? '' : ', no packed dots';
  const name = [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed';
  return { backend: createWebGpu({ gpu, timeout: 300_000 }), device: `${name} (${limits}${packed})` };
}

/** WebGL2 of this engine. @throws Error where it has none */
export async function webgl(): Promise<Subject> {
  const context = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (context === null) throw new Error('no WebGL2');
  const names = context.getExtension('WEBGL_debug_renderer_info');
  const device = String(context.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER));
  const side = context.getParameter(context.MAX_TEXTURE_SIZE);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return { backend: createWebGl({ timeout: 300_000 }), device: `${device} (textures of ${side})` };
}

/** The version of this engine, as it says. */
export function engineVersion(): string {
  const g = globalThis as { Deno?: { version: { deno: string } }; Bun?: { version: string }; process?: NodeJS.Process };
  if (g.Deno !== undefined) return g.Deno.version.deno;
  if (g.Bun !== undefined) return g.Bun.version;
  return g.process?.versions.node ?? /(?:Chrome|Firefox|Version)\/([\d.]+)/.exec(navigator.userAgent)?.[1] ?? 'unknown';
}

/** The browser that this page or worker is in; undefined elsewhere. */
export function browserName(): string | undefined {
  const agent = (globalThis as { navigator?: Navigator }).navigator?.userAgent ?? '';
  const names = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' };
  const known = Object.entries(names).find(([key]) => agent.includes(`${key}/`));
  return known?.[1] ?? ('document' in globalThis ? 'a browser' : undefined);
}
