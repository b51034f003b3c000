/**
 * `samebit/gpujs`: products by the optional package gpu.js, where its floats are exact.
 * @module
 */
export type { GpuJsInstance, GpuJsKernel, GpuJsLibrary } from './backends/gpujs/gemm.ts';
export { createGpuJs, type GpuJsMode, type GpuJsOptions, gpujs } from './backends/gpujs/index.ts';
