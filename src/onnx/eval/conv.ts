/**
 * ONNX convolutions over any number of spatial axes, from the definition: every output sums its taps in order.
 * @module
 */
import { arrayOf, sizeOf, stridesOf } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import { resolveSpatial, resolveTransposed, type SpatialWindow } from '../window.ts';
import type { EvalContext, EvalOp } from './context.ts';

/** Coordinates of linear index i in row-major `shape`. */
function coordinates(i: number, shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return out;
}

/** For each output position its taps inside the input: spatial offset and tap number, in tap order. */
export function windowTaps(
  w: SpatialWindow,
  size: readonly number[],
): { readonly at: number[]; readonly tap: number[]; readonly declared: number }[] {
  const strides = stridesOf(size);
  const taps = Array.from({ length: sizeOf(w.kernel) }, (_, t) => coordinates(t, w.kernel));
  return Array.from({ length: sizeOf(w.out) }, (_, o) => {
    const base = coordinates(o, w.out).map((v, i) => v * w.strides[i]! - w.before[i]!);
    const [at, tap]: [number[], number[]] = [[], []];
    let declared = 0;
    taps.forEach((k, t) => {
      let [offset, valid, counted] = [0, true, true];
      for (let i = 0; i < size.length; i++) {
        const p = base[i]! + k[i]! * w.dilations[i]!;
        valid &&= p >= 0 && p < size[i]!;
        counted &&= p < size[i]! + w.after[i]!;
        offset += p * strides[i]!;
      }
      if (counted) declared += 1;
      if (!valid) return;
      at.push(offset);
      tap.push(t);
    });
    return { at, tap, declared };
  });
}

/** Σ taps of x·w per output, x [N,C,…] and w [O,C/g,…]; zero points are subtracted by the caller. */
export function convolve(
  c: EvalContext,
  x: OnnxArray,
  w: OnnxArray,
  bias: Float64Array | undefined,
): { shape: number[]; data: Float64Array } {
  const size = x.shape.slice(2);
  const [n, channels] = x.shape as [number, number];
  const [o, cg] = w.shape as [number, number];
  const groups = c.int('group', 1);
  if (x.shape.length < 3 || w.shape.length !== x.shape.length || cg * groups !== channels || o % groups !== 0)
    c.fail(
      'BadGraph',
      `an input of shape [${x.shape}] does not fit a weight of shape [${w.shape}] in ${groups} groups`,
    );
  const win = resolveSpatial(c, size, w.shape.slice(2));
  const positions = windowTaps(win, size);
  const [plane, kernel] = [sizeOf(size), sizeOf(win.kernel)];
  const data = new Float64Array(n * o * positions.length);
  let to = 0;
  for (let b = 0; b < n; b++)
    for (let ch = 0; ch < o; ch++) {
      const first = b * channels + Math.floor(ch / (o / groups)) * cg;
      for (const { at, tap } of positions) {
        let acc = bias ? bias[ch]! : 0;
        for (let i = 0; i < cg; i++)
          for (let t = 0; t < at.length; t++)
            acc += w.data[(ch * cg + i) * kernel + tap[t]!]! * x.data[(first + i) * plane + at[t]!]!;
        data[to++] = acc;
      }
    }
  return { shape: [n, o, ...win.out], data };
}

const Conv: EvalOp = (c) => {
  const { shape, data } = convolve(c, c.get(0), c.get(1), c.inputs[2]?.data);
  return arrayOf(c.get(0).dtype, shape, data);
};

/** Transposed convolution: each input element adds its kernel times itself. */
const ConvTranspose: EvalOp = (c) => {
  const [x, w] = [c.get(0), c.get(1)];
  const size = x.shape.slice(2);
  const [n, channels] = x.shape as [number, number];
  const og = w.shape[1]!;
  const groups = c.int('group', 1);
  const o = og * groups;
  const kernel = w.shape.slice(2);
  const win = resolveTransposed(c, size, kernel);
  const [plane, taps] = [sizeOf(size), sizeOf(kernel)];
  const strides = stridesOf(win.out);
  const area = sizeOf(win.out);
  const data = new Float64Array(n * o * area);
  if (c.inputs[2]) for (let i = 0; i < data.length; i++) data[i] = c.get(2).data[Math.floor(i / area) % o]!;
  const target = (p: number, t: number): number => {
    const [at, k] = [coordinates(p, size), coordinates(t, kernel)];
    let to = 0;
    for (let i = 0; i < size.length; i++) {
      const q = at[i]! * win.strides[i]! - win.before[i]! + k[i]! * win.dilations[i]!;
      if (q < 0 || q >= win.out[i]!) return -1;
      to += q * strides[i]!;
    }
    return to;
  };
  for (let p = 0; p < plane; p++)
    for (let t = 0; t < taps; t++) {
      const to = target(p, t);
      if (to < 0) continue;
      for (let b = 0; b < n; b++)
        for (let ch = 0; ch < channels; ch++)
          for (let i = 0; i < og; i++) {
            const out = Math.floor(ch / (channels / groups)) * og + i;
            data[(b * o + out) * area + to]! +=
              x.data[(b * channels + ch) * plane + p]! * w.data[(ch * og + i) * taps + t]!;
          }
    }
  return arrayOf(x.dtype, [n, o, ...win.out], data);
};

/** x − zero point; the zero point has one value or one a slice along `axis`. */
export function centre(x: OnnxArray, zero: OnnxArray | undefined, axis: number): OnnxArray {
  if (!zero) return x;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const n = x.shape[axis] ?? 1;
  const one = zero.data.length === 1;
  return { ...x, data: x.data.map((v, i) => v - zero.data[one ? 0 : Math.floor(i / inner) % n]!) };
}

const ConvInteger: EvalOp = (c) => {
  const { shape, data } = convolve(c, centre(c.get(0), c.inputs[2], 1), centre(c.get(1), c.inputs[3], 0), undefined);
  return arrayOf('int32', shape, data);
};

/** Blocks laid back over an image and summed. */
const Col2Im: EvalOp = (c) => {
  const x = c.get(0);
  const [size, kernel] = [c.numbers(1), c.numbers(2)];
  const win = resolveSpatial(c, size, kernel);
  const [n, rows] = x.shape as [number, number];
  const taps = sizeOf(kernel);
  const channels = rows / taps;
  const area = sizeOf(size);
  const positions = windowTaps(win, size);
  const data = new Float64Array(n * channels * area);
  for (let plane = 0; plane < n * channels; plane++)
    positions.forEach(({ at, tap }, p) => {
      for (let t = 0; t < at.length; t++)
        data[plane * area + at[t]!]! += x.data[(plane * taps + tap[t]!) * positions.length + p]!;
    });
  return arrayOf(x.dtype, [n, channels, ...size], data);
};

/** Convolutions. */
export const CONV: Readonly<Record<string, EvalOp>> = { Col2Im, Conv, ConvInteger, ConvTranspose };
