/**
 * `samebit/webgpu`: the WebGPU backend; in Node with the optional package `webgpu`.
 * @module
 */
export { createWebGpu, webgpu } from './backends/webgpu/index.ts';
export type { GpuOptions } from './backends/webgpu/probe.ts';
