/**
 * mul, div, min, max, compare, logical and where (spec/10-ops.md §3).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { oneStage } from '../pack.ts';
import { type Nd, strided, walkOf } from '../strided.ts';

/** A record over the elements of y, of operands that broadcast to it. */
function walk(b: Builder, operands: readonly Arg[], y: Arg): Nd {
  return strided(
    b,
    y.shape,
    [...operands, y].map((t) => walkOf(b, t, y.shape)),
  );
}

/** mul: products of i16 lanes. */
export function mul(s: Site<'mul'>, b: Builder): Prepared {
  const [x, z] = s.in as readonly [Arg, Arg];
  const { stage } = s.attrs;
  const nd = walk(b, [x, z], s.out[0]!);
  const record = b.record([x.size, z.size, x.zp, z.zp, 0, 0, 0, 0, ...oneStage(stage, 4)]);
  return prepared('mul', 'binary', nd.units, nd.at, record);
}

/** div: quotients in f64, which are exact. */
export function div(s: Site<'div'>, b: Builder): Prepared {
  const [x, z] = s.in as readonly [Arg, Arg];
  const { p, q, output: o } = s.attrs;
  const y = s.out[0]!;
  const nd = walk(b, [x, z], y);
  const record = b.record([x.size, z.size, x.zp, z.zp, p, q, o.zp, o.lo, o.hi, y.size]);
  return prepared('div', 'div', nd.units, nd.at, record);
}

/** compare: < or =, of swapped operands for gt and le, the result reversed for ge, le and ne. */
export function compare(s: Site<'compare'>, b: Builder): Prepared {
  const { op, ma, mb } = s.attrs;
  const way = ['lt', 'ge', 'gt', 'le', 'eq', 'ne'].indexOf(op);
  const swap = way >> 1 === 1;
  const [p, q] = (swap ? [s.in[1], s.in[0]] : s.in) as readonly [Arg, Arg];
  const nd = walk(b, [p, q], s.out[0]!);
  const factors = swap ? [mb, ma] : [ma, mb];
  const record = b.record([
    p.size,
    q.size,
    p.zp,
    q.zp,
    ...factors,
    1 + (way >> 2),
    -(way & 1),
    ...oneStage(undefined, 1),
  ]);
  return prepared('compare', 'binary', nd.units, nd.at, record);
}

function choice(kernel: string, op: number) {
  return (s: Site<'min' | 'max'>, b: Builder): Prepared => {
    const y = s.out[0]!;
    const nd = walk(b, s.in as readonly Arg[], y);
    return prepared(kernel, 'select', nd.units, nd.at, op, y.size);
  };
}

/** min: 16 bytes at once. */
export const min: (s: Site<'min'>, b: Builder) => Prepared = /* @__PURE__ */ choice('min', 0);
/** max: 16 bytes at once. */
export const max: (s: Site<'max'>, b: Builder) => Prepared = /* @__PURE__ */ choice('max', 1);

/** logical: bits of bytes; not is xor with 1. */
export function logical(s: Site<'logical'>, b: Builder): Prepared {
  const y = s.out[0]!;
  const [x, z] = s.in as readonly [Arg, Arg?];
  const one = { at: b.raw(Int8Array.of(1)), strides: y.shape.map(() => 0) };
  const nd = strided(b, y.shape, [
    walkOf(b, x, y.shape),
    z === undefined ? one : walkOf(b, z, y.shape),
    walkOf(b, y, y.shape),
  ]);
  const op = { and: 2, or: 3 }[s.attrs.op] ?? 4;
  return prepared('logical', 'select', nd.units, nd.at, op, 1);
}

/** where: b everywhere, then a where the condition holds. */
export function where(s: Site<'where'>, b: Builder): Prepared {
  const [condition, p, q] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const [first, second] = [walk(b, [q], y), walk(b, [condition, p], y)];
  const { calls } = prepared('', 'select', second.units, second.at, 5, y.size);
  return { kernel: 'where', calls: [...prepared('', 'move', first.units, first.at, y.size).calls, ...calls] };
}
