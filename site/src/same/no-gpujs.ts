/**
 * In place of the optional package gpu.js, which no page uses.
 * @module
 */
import type { GpuJsLibrary } from '../../../src/gpujs.ts';

const library: GpuJsLibrary = undefined as never;
export default library;
