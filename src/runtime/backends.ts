/**
 * The backends that come with this package, by name: each is loaded where it is asked for.
 * @module
 */
import type { Backend } from '../backends/backend.ts';

/** Backends by name, loaded when asked for. */
const BACKENDS = {
  reference: async (): Promise<Backend> => (await import('../backends/reference/index.ts')).reference,
  wasm: async (): Promise<Backend> => (await import('../backends/wasm/index.ts')).wasm,
  webgpu: async (): Promise<Backend> => (await import('../backends/webgpu/index.ts')).webgpu,
  webgl: async (): Promise<Backend> => (await import('../backends/webgl/index.ts')).webgl,
  gpujs: async (): Promise<Backend> => (await import('../backends/gpujs/index.ts')).gpujs,
} as const;

/** Name of a backend that comes with this package. */
export type BackendName = keyof typeof BACKENDS;
/** Names of the backends that come with this package. */
export const BACKEND_NAMES: readonly BackendName[] = Object.keys(BACKENDS) as BackendName[];

/** The backend of a name, or itself. Throws TypeError for anything else. */
export async function resolve(b: BackendName | Backend): Promise<Backend> {
  if (typeof b === 'object' && typeof b?.prepare === 'function') return b;
  if (!Object.hasOwn(BACKENDS, b as string)) throw (await import('../core/options.ts')).noBackend(b, BACKEND_NAMES);
  return BACKENDS[b as BackendName]();
}
