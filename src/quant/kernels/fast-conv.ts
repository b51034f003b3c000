/**
 * The convolution kernel in WebAssembly: one instance a process, its memory grows with the largest layer. The order of each
 * sum is that of the loops in `window.ts`, so both give the same bits.
 * @module
 */
import type { Conv2d } from '../float-graph.ts';
import type { Block } from './block.ts';
import { BASE64 } from './float.gen.ts';

const PAGE = 65536;

interface Instance {
  readonly memory: WebAssembly.Memory;
  readonly conv: (record: number) => void;
  readonly depthwise: (record: number) => void;
}

let instance: Instance | null | undefined;

/** The instance; null where the engine has no WebAssembly SIMD. */
function load(): Instance | null {
  try {
    const bytes = Uint8Array.from(atob(BASE64), (ch) => ch.charCodeAt(0));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    return { memory, ...(exports as unknown as Pick<Instance, 'conv' | 'depthwise'>) };
  } catch {
    return null;
  }
}

/** Weights as the kernel reads them: for each group and four of its outputs, K rows of four. */
function packed(op: Conv2d, k: number, og: number): { weight: Float64Array; bias: Float64Array } {
  const fours = Math.ceil(og / 4);
  const weight = new Float64Array(op.groups * fours * k * 4);
  const bias = new Float64Array(op.groups * fours * 4);
  for (let o = 0; o < op.bias.length; o++) {
    const [g, i] = [Math.floor(o / og), o % og];
    const at = g * fours + (i >> 2);
    bias[at * 4 + (i & 3)] = op.bias[o]!;
    for (let t = 0; t < k; t++) weight[(at * k + t) * 4 + (i & 3)] = op.weight[o * k + t]!;
  }
  return { weight, bias };
}

/** Depthwise weights as [taps, C]. */
function byTap(op: Conv2d, taps: number): Float64Array {
  const c = op.bias.length;
  const out = new Float64Array(op.weight.length);
  for (let ch = 0; ch < c; ch++) for (let t = 0; t < taps; t++) out[t * c + ch] = op.weight[ch * taps + t]!;
  return out;
}

/** Packed weights by operation: a graph runs many times. */
const weights: WeakMap<Conv2d, { weight: Float64Array; bias: Float64Array }> = new WeakMap();

function weightsOf(
  op: Conv2d,
  depthwise: boolean,
  k: number,
  og: number,
): { weight: Float64Array; bias: Float64Array } {
  const known = weights.get(op);
  if (known) return known;
  const made = depthwise ? { weight: byTap(op, k), bias: op.bias } : packed(op, k, og);
  weights.set(op, made);
  return made;
}

/** Runs a convolution whose limits are applied by the caller; false where WebAssembly is not there. */
export function fastConv(op: Conv2d, x: Block, y: Block): boolean {
  instance ??= load();
  if (!instance) return false;
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [n, oh, ow, o] = y.shape as [number, number, number, number];
  const [kh, kw] = op.kernel;
  const [cg, og] = [c / op.groups, o / op.groups];
  const k = kh * kw * cg;
  const single = cg === 1 && og === 1;
  const { weight, bias } = weightsOf(op, single, k, og);
  const direct = k === c && op.pads.every((p) => p === 0) && op.strides.every((s) => s === 1) && oh === h && ow === w;
  const at: number[] = [];
  let end = 128;
  for (const size of [x.data.length, weight.length, bias.length, y.data.length, 4 * k + 16]) {
    at.push(end);
    end += size * 8;
  }
  const missing = Math.ceil(end / PAGE) - instance.memory.buffer.byteLength / PAGE;
  if (missing > 0) instance.memory.grow(missing);
  const { buffer } = instance.memory;
  const geometry = [n * oh * ow, h, w, c, oh, ow, kh, kw, ...op.strides, ...op.dilations, op.pads[0], op.pads[1]];
  new Int32Array(buffer, 0, 23).set([...at, ...geometry, cg, op.groups, og, direct ? 1 : 0]);
  for (const [i, v] of [x.data, weight, bias].entries()) new Float64Array(buffer, at[i], v.length).set(v);
  if (single) instance.depthwise(0);
  else instance.conv(0);
  y.data.set(new Float64Array(buffer, at[3], y.data.length));
  return true;
}

/** a·bᵀ of row-major [m,k] and [n,k] as [m,n]; every sum in rising order of k. */
export function product(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const one = [1, 1] as const;
  const window = { kernel: one, strides: one, dilations: one, pads: [0, 0, 0, 0] as const, groups: 1 };
  const limits = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  const op: Conv2d = { kind: 'conv2d', weight: b, bias: new Float64Array(n), ...window, ...limits };
  const y = { data: new Float64Array(m * n), shape: [1, 1, m, n] };
  if (k > 1 && m * n * k >= 4096 && fastConv(op, { data: a, shape: [1, 1, m, k] }, y)) return y.data;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let acc = 0;
      for (let t = 0; t < k; t++) acc += b[j * k + t]! * a[i * k + t]!;
      y.data[i * n + j] = acc;
    }
  return y.data;
}
