/**
 * Records of strided iteration: dims of length 1 dropped, neighbours merged where every operand allows it.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { elementCount } from '../../core/tensor.ts';
import { stridesOf } from '../../ops/rules.ts';
import type { Arg, Builder } from './builder.ts';

/** An operand: its address and its stride in bytes along every dim. */
export interface Walk {
  readonly at: number;
  readonly strides: readonly number[];
}

/** Strides in bytes of a tensor of element size `size`, read along the dims of `shape` with NumPy broadcasting. */
export function broadcastStrides(
  t: { readonly shape: readonly number[]; readonly size: number },
  shape: readonly number[],
): number[] {
  const own = stridesOf(t.shape);
  const skip = shape.length - t.shape.length;
  return shape.map((_, i) => (i < skip || t.shape[i - skip] === 1 ? 0 : own[i - skip]! * t.size));
}

/** Element offset of each matrix of an operand that is broadcast over the dims of `batch`. */
export function matrixOffsets(t: { readonly shape: readonly number[] }, batch: readonly number[]): number[] {
  const strides = broadcastStrides({ shape: t.shape.slice(0, -2), size: elementCount(t.shape.slice(-2)) }, batch);
  return Array.from({ length: elementCount(batch) }, (_, i) => {
    let [rest, at] = [i, 0];
    for (let d = batch.length - 1; d >= 0; d--) {
      const next = floorDiv(rest, batch[d]!);
      at += (rest - next * batch[d]!) * strides[d]!;
      rest = next;
    }
    return at;
  });
}

/** A tensor read along the dims of `shape`. */
export function walkOf(b: Builder, t: Arg, shape: readonly number[]): Walk {
  return { at: b.at(t), strides: broadcastStrides(t, shape) };
}

/** Strides in bytes of a dense tensor. */
export function denseStrides(shape: readonly number[], size: number): number[] {
  return stridesOf(shape).map((s) => s * size);
}

/** A merged dim: its length and the stride of every operand. */
export interface Axis {
  readonly n: number;
  readonly s: readonly number[];
}

/** Dims from the outermost, without those of length 1, neighbours merged where every operand allows it. */
export function collapse(dims: readonly number[], walks: readonly Walk[]): Axis[] {
  const out: Axis[] = [];
  dims.forEach((n, i) => {
    if (n === 1) return;
    const s = walks.map((w) => w.strides[i]!);
    const outer = out[out.length - 1];
    if (outer?.s.every((v, k) => v === s[k]! * n)) out[out.length - 1] = { n: outer.n * n, s };
    else out.push({ n, s });
  });
  return out;
}

/** A record of kernels/wasm/nd.ts: its address and how many units it has. */
export interface Nd {
  readonly at: number;
  readonly units: number;
}

/** A record of one to three operands over `axes` around the run `inner`, in units of `unit` elements. */
export function recordOf(b: Builder, axes: readonly Axis[], inner: Axis, walks: readonly Walk[], unit: number): Nd {
  const three = (v: readonly number[]): number[] => [v[0] ?? 0, v[1] ?? 0, v[2] ?? 0];
  const runs = axes.reduce((n, a) => n * a.n, 1);
  const outer = [...axes].reverse().flatMap((a) => [a.n, ...three(a.s)]);
  const at = b.record([
    inner.n,
    runs,
    ...three(walks.map((w) => w.at)),
    ...three(inner.s),
    axes.length,
    unit,
    ...outer,
  ]);
  return { at, units: runs * floorDiv(inner.n + unit - 1, unit) };
}

/**
 * A record over `dims`, none of them 0, for one to three operands. The inner run is the last merged dim, in units of 64; with
 * `whole` it is exactly the last dim, one unit.
 */
export function strided(b: Builder, dims: readonly number[], walks: readonly Walk[], whole = false): Nd {
  const last = dims.length - 1;
  const axes = collapse(whole ? dims.slice(0, last) : dims, walks);
  const inner = whole ? { n: dims[last]!, s: walks.map((w) => w.strides[last]!) } : (axes.pop() ?? { n: 1, s: [] });
  return recordOf(b, axes, inner, walks, whole ? inner.n : Math.min(inner.n, 64));
}
