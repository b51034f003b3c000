import type { Kernels } from './module.ts';
export function selfTest(_k: Kernels, _m: WebAssembly.Memory): string | undefined { return undefined; }
