/**
 * The global settings of ONNX Runtime's API. samebit reads `wasm.numThreads`; the others are kept and have no effect.
 * @module
 */

/** Settings by name; those of the WebAssembly backend under `wasm`. */
export interface Env {
  readonly wasm: {
    /** Threads of a session that sets no `intraOpNumThreads` itself; 1 by default. */
    numThreads?: number | undefined;
    [setting: string]: unknown;
  };
  readonly webgpu: Record<string, unknown>;
  readonly webgl: Record<string, unknown>;
  [setting: string]: unknown;
}

/** Settings of this process or page. */
export const env: Env = { wasm: {}, webgpu: {}, webgl: {} };
