/**
 * `samebit/compile`: models as programs that need nothing of this library (docs/evm.md).
 * @module
 */
export {
  ABI,
  CompileError,
  type EvmContract,
  type EvmLayer,
  type EvmOptions,
  type EvmProgram,
  toEvm,
} from './compile/evm.ts';
