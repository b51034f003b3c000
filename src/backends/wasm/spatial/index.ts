/**
 * Kernels of large convolutions: a module of its own (kernels/wasm/spatial.ts), loaded for the models that gain by it.
 * @module
 */
import type { Site, Variant } from '../kernels.ts';
import { moduleBytes } from '../module.ts';
import { LENGTH, TEXT } from './kernels.gen.ts';
import { strips, stripsFit } from './strips.ts';
import { winograd, winogradFits } from './winograd.ts';

let compiled: Promise<WebAssembly.Module> | undefined;

/** The module, compiled on first use. */
export function loadSpatial(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(moduleBytes(TEXT, LENGTH));
  return compiled;
}

/** Prepares a convolution that one of these kernels computes. */
export const variant: Variant = (op, site, b) => {
  if (op !== 'conv2d') return undefined;
  const s = site as unknown as Site<'conv2d'>;
  return winogradFits(s) ? winograd(s, b) : stripsFit(s) ? strips(s, b) : undefined;
};
