/**
 * `samebit/compile`: models as programs that need nothing of this library, WebAssembly (docs/aot.md) and EVM contracts (docs/evm.md).
 * @module
 */

export type { Goal } from './compile/evm/plan.ts';
export {
  ABI,
  CompileError,
  type EvmContract,
  type EvmLayer,
  type EvmOptions,
  type EvmProgram,
  toEvm,
} from './compile/evm.ts';
export { type Inspection, inspect } from './compile/inspect.ts';
export type { Feature } from './compile/instructions.ts';
export { HOSTS, type Host, validateProfile } from './compile/validate-profile.ts';
export {
  type ChunkedWasm,
  type ChunkOptions,
  type Profile,
  toWasm,
  toWasmChunks,
  type WasmOptions,
} from './compile/wasm.ts';
