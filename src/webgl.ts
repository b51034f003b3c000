/**
 * `samebit/webgl`: the WebGL2 backend, for browsers and their workers.
 * @module
 */
export { createWebGl, webgl } from './backends/webgl/index.ts';
export type { GlOptions } from './backends/webgl/probe.ts';
