/**
 * `samebit/compile`: models as WebAssembly modules that need nothing of this library (docs/aot.md).
 * @module
 */
export { type Inspection, inspect } from './compile/inspect.ts';
export type { Feature } from './compile/instructions.ts';
export { HOSTS, type Host, validateProfile } from './compile/validate-profile.ts';
export { type Profile, toWasm, type WasmOptions } from './compile/wasm.ts';
