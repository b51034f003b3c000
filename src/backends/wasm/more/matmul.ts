/**
 * matmul over the shared tile (spec/10-ops.md §2).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { matrixRecord } from '../linear.ts';
import { type Columns, multipliers, panelColumns, panelK, words } from '../pack.ts';
import { broadcastStrides, strided } from '../strided.ts';

/** matmul: the right operand is packed into panels as the run goes. */
export function matmul(s: Site<'matmul'>, b: Builder): Prepared {
  const [x, y] = s.in as readonly [Arg, Arg];
  const out = s.out[0]!;
  const { tb, stage } = s.attrs;
  const [rows, count] = out.shape.slice(-2) as [number, number];
  const k = x.shape[x.shape.length - 1]!;
  const columns: Columns = {
    k,
    count,
    panels: 0,
    bias: words(b, count, () => 0),
    m: multipliers(b, stage?.m, count),
    stage,
    ld: count,
  };
  const left = matrixRecord(b, { rows, k, size: x.size, zp: 0, offset: 0 }, columns, 0);
  b.scratch(left.end + panelColumns(count) * panelK(k) * 2 + 64);
  const right = b.record([k, count, y.size, tb, left.end]);
  const batch = out.shape.slice(0, -2);
  const matrices = (t: Arg): { at: number; strides: number[] } => {
    const [p, q] = t.shape.slice(-2) as [number, number];
    return {
      at: b.at(t),
      strides: [...broadcastStrides({ shape: t.shape.slice(0, -2), size: p * q * t.size }, batch), 0],
    };
  };
  const nd = strided(b, [...batch, 1], [x, y, out].map(matrices), true);
  const kernel = `matmul_i${x.size * 8}_i${y.size * 8}`;
  return prepared(kernel, 'matmul', nd.units * (panelColumns(count) >> 3), nd.at, right, left.at);
}
