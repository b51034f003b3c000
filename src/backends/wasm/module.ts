/**
 * The compiled kernels: one module a process, one instance and one memory an executable (spec/30-execution.md §3).
 * @module
 */
import { HostError } from '../../core/errors.ts';
import { kernelsOver } from './call.ts';
import { LENGTH, LIMITS, TEXT } from './kernels.gen.ts';
import { BASE, selfTest } from './selftest.ts';

/**
 * What the module exports: the base of the private area, and kernels. A kernel computes the units from…to−1 of an output;
 * arguments are byte addresses and small integers; records are described beside each kernel.
 */
export interface Kernels {
  readonly base: WebAssembly.Global;
  argmax(
    from: number,
    to: number,
    x: number,
    y: number,
    k: number,
    inner: number,
    size: number,
    last: number,
    flip: number,
  ): void;
  bilinear(from: number, to: number, record: number, x: number, y: number): void;
  binary(from: number, to: number, nd: number, record: number): void;
  conv(from: number, to: number, record: number, x: number, y: number): void;
  cumsum(
    from: number,
    to: number,
    x: number,
    y: number,
    k: number,
    inner: number,
    size: number,
    zx: number,
    exclusive: number,
    reverse: number,
  ): void;
  depthwise(from: number, to: number, record: number, x: number, y: number): void;
  div(from: number, to: number, nd: number, record: number): void;
  gather(from: number, to: number, x: number, y: number, at: number, step: number, count: number, inner: number): void;
  logSoftmax(from: number, to: number, record: number, x: number, y: number): void;
  gru(from: number, to: number, record: number, x: number, h0: number, h: number, lastH: number): void;
  linear2(from: number, to: number, nd: number, record: number): void;
  lstm(
    from: number,
    to: number,
    record: number,
    x: number,
    h0: number,
    c0: number,
    h: number,
    lastH: number,
    lastC: number,
  ): void;
  lut16(
    from: number,
    to: number,
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
  lut8(from: number, to: number, x: number, y: number, n: number, table: number, size: number): void;
  matmul(from: number, to: number, nd: number, b: number, a: number): void;
  matrix(from: number, to: number, record: number, x: number, y: number): void;
  move(from: number, to: number, nd: number, size: number): void;
  nearest(
    from: number,
    to: number,
    x: number,
    y: number,
    image: number,
    rows: number,
    oh: number,
    columns: number,
    ow: number,
    pixel: number,
  ): void;
  nms(from: number, to: number, record: number, boxes: number, scores: number, indices: number, count: number): void;
  norm(from: number, to: number, record: number, x: number, y: number): void;
  normBlocks(from: number, to: number, record: number, x: number, y: number): void;
  maxPool(from: number, to: number, record: number, x: number, y: number): void;
  avgPool(from: number, to: number, record: number, x: number, y: number): void;
  reduce(from: number, to: number, nd: number, record: number, y: number): void;
  rope(from: number, to: number, record: number, x: number, y: number): void;
  sample(from: number, to: number, record: number, x: number, y: number): void;
  rescale(from: number, to: number, nd: number, record: number): void;
  select(from: number, to: number, nd: number, op: number, size: number): void;
  softmax(from: number, to: number, nd: number, record: number): void;
  topk(
    from: number,
    to: number,
    x: number,
    values: number,
    indices: number,
    n: number,
    k: number,
    inner: number,
    size: number,
    flip: number,
  ): void;
  transposed(from: number, to: number, record: number, x: number, y: number): void;
  update(
    from: number,
    to: number,
    rows: number,
    y: number,
    position: number,
    k: number,
    n: number,
    inner: number,
  ): void;
  /** The rest: of the module more/, as are those of its ops. */
  layerNorm8(from: number, to: number, record: number, x: number, y: number): void;
  softmax8(from: number, to: number, record: number, x: number, y: number): void;
  strassen(from: number, to: number, record: number, y: number): void;
  strassenRows(from: number, to: number, record: number, x: number): void;
  streams(from: number, to: number, record: number, x: number, y: number): void;
  streams4(from: number, to: number, record: number, x: number, y: number): void;
  strips(from: number, to: number, record: number, x: number, y: number): void;
  winograd(from: number, to: number, record: number, x: number, y: number): void;
}

/** Bytes of the module: code, charged to every executable’s memory figure. */
export const MODULE_BYTES: number = LENGTH;

/** Bytes of a page of memory. */
export const PAGE = 65536;

const compiled: Promise<WebAssembly.Module>[] = [];

/**
 * The module, compiled and probed on first use; `shared` is one whose memory several instances share.
 * @throws HostError `NoBackend` without WebAssembly SIMD, `SelfTest` if a known answer comes out wrong
 */
export function loadModule(shared: boolean = false): Promise<WebAssembly.Module> {
  return (compiled[+shared] ??= compile(shared));
}

/** Takes a module that was compiled ahead, in place of compiling one. @throws HostError `SelfTest` */
export function adopt(module: WebAssembly.Module): void {
  trust(module, selfTest, false);
  compiled[0] = Promise.resolve(module);
}

/** The `length` bytes that a text holds (scripts/build-wasm.ts, `textOf`). */
export function moduleBytes(text: string, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let more = -3;
  for (let i = 0, at = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 40) more = 86 * (c - 32) - 3;
    else {
      bytes[at++] = c - (c > 92 ? 41 : 40) + more;
      more = -3;
    }
  }
  return bytes;
}

/** Compiles such a module; `limits` is where the flags of its memory stand, which say whether several instances share that. */
export function compileText(
  text: string,
  length: number,
  limits: number,
  shared: boolean,
): Promise<WebAssembly.Module> {
  const bytes = moduleBytes(text, length);
  if (shared) bytes[limits] = 3; // minimum, maximum, shared
  return WebAssembly.compile(bytes);
}

/** Runs the known answers of a module. @throws HostError `SelfTest` */
export function trust(module: WebAssembly.Module, test: typeof selfTest, shared: boolean): void {
  const { memory, kernels } = instantiate([module], 1, BASE, shared);
  const wrong = test(kernels, memory);
  if (wrong !== undefined)
    throw new HostError('SelfTest', `the wasm backend computes ${wrong} wrongly on this machine`);
}

async function compile(shared: boolean): Promise<WebAssembly.Module> {
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  if (!littleEndian || typeof WebAssembly === 'undefined')
    throw new HostError('NoBackend', 'no WebAssembly on this machine');
  let module: WebAssembly.Module;
  try {
    module = await compileText(TEXT, LENGTH, LIMITS, shared);
  } catch {
    throw new HostError('NoBackend', 'this engine does not accept WebAssembly SIMD');
  }
  trust(module, selfTest, shared);
  return module;
}

/**
 * Kernels over one fresh memory of exactly `pages` pages; it never grows.
 * @throws HostError `NoMemory`
 */
export function instantiate(
  modules: readonly WebAssembly.Module[],
  pages: number,
  base: number,
  shared: boolean = false,
): { memory: WebAssembly.Memory; kernels: Kernels } {
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch {
    throw new HostError('NoMemory', `no room for ${pages} pages of WebAssembly memory`);
  }
  return { memory, kernels: kernelsOver(modules, memory, base) };
}
