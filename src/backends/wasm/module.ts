/**
 * The compiled kernels: one module a process, one instance and one memory an executable (spec/30-execution.md §3).
 * @module
 */
import { HostError } from '../../core/errors.ts';
import { HEX, LENGTH } from './kernels.gen.ts';
import { selfTest } from './selftest.ts';

/** What the module exports. Arguments are byte addresses and small integers; records are described beside each kernel. */
export interface Kernels {
  argmax(x: number, y: number, outer: number, k: number, inner: number, size: number, last: number): void;
  conv(record: number, x: number, y: number): void;
  copy(to: number, from: number, bytes: number): void;
  depthwise(record: number, x: number, y: number): void;
  layerNorm(record: number, x: number, y: number): void;
  linear2(nd: number, record: number): void;
  lstm(record: number, x: number, h0: number, c0: number, h: number, lastH: number, lastC: number): void;
  lut16(
    x: number,
    y: number,
    n: number,
    table: number,
    s: number,
    zp: number,
    lo: number,
    hi: number,
    size: number,
  ): void;
  lut8(x: number, y: number, n: number, table: number, size: number): void;
  matmul(nd: number, b: number, a: number): void;
  matrix(record: number, x: number, y: number): void;
  move(nd: number, size: number): void;
  pool(record: number, x: number, y: number, avg: number): void;
  rescale(record: number, x: number, y: number): void;
  softmax(nd: number, record: number): void;
}

/** Bytes of the module: code, charged to every executable’s memory figure. */
export const MODULE_BYTES: number = LENGTH;

/** Bytes of a page of memory. */
export const PAGE = 65536;

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The module, compiled and probed on first use.
 * @throws HostError `NoBackend` without WebAssembly SIMD, `SelfTest` if a known answer comes out wrong
 */
export function loadModule(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<WebAssembly.Module> {
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  if (!littleEndian || typeof WebAssembly === 'undefined')
    throw new HostError('NoBackend', 'no WebAssembly on this machine');
  const bytes = Uint8Array.from({ length: LENGTH }, (_, i) => Number.parseInt(HEX.slice(2 * i, 2 * i + 2), 16));
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch {
    throw new HostError('NoBackend', 'this engine does not accept WebAssembly SIMD');
  }
  const { memory, kernels } = instantiate(module, 1);
  const wrong = selfTest(kernels, memory);
  if (wrong !== undefined)
    throw new HostError('SelfTest', `the wasm backend computes ${wrong} wrongly on this machine`);
  return module;
}

/**
 * An instance over a fresh memory of exactly `pages` pages; it never grows.
 * @throws HostError `NoMemory`
 */
export function instantiate(
  module: WebAssembly.Module,
  pages: number,
): { memory: WebAssembly.Memory; kernels: Kernels } {
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    throw new HostError('NoMemory', `no room for ${pages} pages of WebAssembly memory`);
  }
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, kernels: instance.exports as unknown as Kernels };
}
