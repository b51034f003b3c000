/** The built library, as a program that installed it has it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = (name: string): string => pathToFileURL(join(import.meta.dirname, '../../dist', `${name}.js`)).href;

/** `samebit`. */
export const samebit = (await import(dist('index'))) as typeof import('../../src/index.ts');
/** `samebit/quant`. */
export const quant = (await import(dist('quant'))) as typeof import('../../src/quant.ts');
/** `samebit/onnx`. */
export const onnx = (await import(dist('onnx'))) as typeof import('../../src/onnx.ts');
/** `samebit/format`. */
export const format = (await import(dist('format'))) as typeof import('../../src/format.ts');
/** `samebit/wasm`. */
export const wasm = (await import(dist('wasm'))) as typeof import('../../src/wasm.ts');
/** `samebit/reference`. */
export const reference = (await import(dist('reference'))) as typeof import('../../src/reference.ts');
