/**
 * `samebit/wasm`: the WebAssembly SIMD backend; its module is inlined, nothing is fetched.
 * @module
 */
export { wasm } from './backends/wasm/index.ts';
export { type Precompiled, precompiled } from './backends/wasm/precompiled.ts';
