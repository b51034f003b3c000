/**
 * Index maps as strided copies (spec/10-ops.md §6).
 * @module
 */
import type { Arg, Builder } from './builder.ts';
import { type Prepared, prepared } from './call.ts';
import type { Site } from './kernels.ts';
import { denseStrides, strided, type Walk } from './strided.ts';

/** Strided copies one after the other: from → to over dims. */
export function copies(
  b: Builder,
  kernel: string,
  size: number,
  parts: readonly { dims: readonly number[]; from: Walk; to: Walk }[],
): Prepared {
  const calls = parts
    .filter((p) => p.dims.every((d) => d > 0))
    .flatMap((p) => {
      const nd = strided(b, p.dims, [p.from, p.to]);
      return prepared('', 'move', nd.units, nd.at, size).calls;
    });
  return { kernel, calls };
}

/** A dense tensor. */
export function dense(b: Builder, t: Arg): Walk & { readonly strides: number[] } {
  return { at: b.at(t), strides: denseStrides(t.shape, t.size) };
}

/** reshape: the same bytes. */
export function reshape(s: Site<'reshape'>, b: Builder): Prepared {
  const y = s.out[0]!;
  const whole = (t: Arg): Walk => ({ at: b.at(t), strides: [1] });
  return copies(b, 'copy', 1, [{ dims: [y.bytes], from: whole(s.in[0]!), to: whole(y) }]);
}

/** transpose: input strides permuted. */
export function transpose(s: Site<'transpose'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const from = dense(b, x);
  return copies(b, 'move', x.size, [
    { dims: y.shape, from: { at: from.at, strides: s.attrs.perm.map((p) => from.strides[p]!) }, to: dense(b, y) },
  ]);
}

/** slice: input strides times the steps, from the first element. */
export function slice(s: Site<'slice'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { start, step } = s.attrs;
  const own = dense(b, x);
  const at = own.strides.reduce((sum, v, i) => sum + v * start[i]!, own.at);
  return copies(b, 'move', x.size, [
    { dims: y.shape, from: { at, strides: own.strides.map((v, i) => v * step[i]!) }, to: dense(b, y) },
  ]);
}

/** concat: one copy an input. */
export function concat(s: Site<'concat'>, b: Builder): Prepared {
  const y = s.out[0]!;
  const to = dense(b, y);
  const { axis } = s.attrs;
  let at = to.at;
  const parts = (s.in as readonly Arg[]).map((x) => {
    const part = { dims: x.shape, from: dense(b, x), to: { at, strides: to.strides } };
    at += x.shape[axis]! * to.strides[axis]!;
    return part;
  });
  return copies(b, 'move', y.size, parts);
}
