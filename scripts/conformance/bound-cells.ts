/**
 * Bounds of the recurrent cells: the layer is run in floats beside a bound of every gate, cell and hidden value, step by step.
 * @module
 */
import type { Gru, Lstm } from '../../src/quant/float-sequence.ts';
import type { Block } from '../../src/quant/kernels/block.ts';
import { sigmoid, tanh } from '../../src/quant/math.ts';
import type { QType } from '../../src/quant/scales.ts';
import type { Operand } from './bound.ts';

/** A value and how far the integer one may lie from it. */
interface Near {
  readonly v: number;
  readonly e: number;
}

/** What gates read saturates here; two roundings to Q12, and that of the bias. */
const GATE_LIMIT = 8;
const GATE_ROUNDING = 1.1 * 2 ** -12;
/** Rounding of a table's nodes and of what lies between, in Q15. */
const TABLE_ROUNDING = 2 ** -14;
/** Share of the greatest weight that rounding moves one by. */
const WEIGHT_SHARE = 0.51 / 127;

const times = (a: Near, b: Near): Near => ({
  v: a.v * b.v,
  e: Math.abs(a.v) * b.e + a.e * Math.abs(b.v) + a.e * b.e,
});
const plus = (a: Near, b: Near, more = 0): Near => ({ v: a.v + b.v, e: a.e + b.e + more });

/** A table of f over ±`limit`: the ends of the operand's interval, pieces of limit/256 with |f''| ≤ bend, and rounding. */
function through(f: (x: number) => number, x: Near, limit: number, bend: number): Near {
  const at = (v: number): number => Math.abs(f(Math.min(Math.max(v, -limit), limit)) - f(x.v));
  return { v: f(x.v), e: Math.max(at(x.v - x.e), at(x.v + x.e)) + (bend * (limit / 256) ** 2) / 8 + TABLE_ROUNDING };
}

const open = (x: Near): Near => through(sigmoid, x, GATE_LIMIT, 0.0963);
const bent = (x: Near, limit = GATE_LIMIT): Near => through(tanh, x, limit, 0.7699);

function greatest(v: Float64Array): number {
  return v.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
}

/** Row r of weights times values, with weights moved by rounding. */
function product(w: Float64Array, step: number, r: number, x: readonly Near[]): Near {
  return x.reduce<Near>(
    (sum, { v, e }, i) => {
      const own = w[r * x.length + i]!;
      return { v: sum.v + own * v, e: sum.e + Math.abs(own) * e + step * (Math.abs(v) + e) };
    },
    { v: 0, e: 0 },
  );
}

/** Row n of a state at the start: constant, or an operand. */
function initial(
  data: Float64Array | undefined,
  operand: Operand | undefined,
  n: number,
  size: number,
  step: number,
): Near[] {
  const value = data ?? operand!.value.data;
  return Array.from({ length: size }, (_, u) => ({
    v: value[n * size + u]!,
    e: 0.51 * step + (data ? 0 : operand!.error.data[n * size + u]!),
  }));
}

/** Bounds of what a node of a cell gives. */
export function throughCell(op: Lstm | Gru, of: readonly Operand[], y: Block, type: QType): Block {
  const error = new Float64Array(y.data.length);
  if (op.kind === 'lstm' && op.what === 'cells') return { data: error, shape: y.shape };
  const [x, ...rest] = of as [Operand, ...Operand[]];
  const [time, batch, width] = x.value.shape as [number, number, number];
  const size = op.hidden;
  const h0 = op.h0 ? undefined : rest.shift();
  const c0 = op.kind === 'gru' || op.c0 ? undefined : rest.shift();
  const cell = op.kind === 'lstm' ? rest[0]!.type!.scale : 0;
  const step = op.kind === 'lstm' && op.what === 'last_c' ? rest[1]!.type!.scale : type.scale;
  const [sx, sh] = [greatest(op.wx) * WEIGHT_SHARE, greatest(op.wh) * WEIGHT_SHARE];
  for (let n = 0; n < batch; n++) {
    let h = initial(op.h0, h0, n, size, step);
    let c = op.kind === 'lstm' ? initial(op.c0, c0, n, size, cell) : [];
    for (let s = 0; s < time; s++) {
      const t = op.reverse ? time - 1 - s : s;
      const at = (t * batch + n) * width;
      const row = Array.from({ length: width }, (_, i) => ({ v: x.value.data[at + i]!, e: x.error.data[at + i]! }));
      const left = (r: number): Near => plus({ v: op.bias[r]!, e: 0 }, product(op.wx, sx, r, row), GATE_ROUNDING);
      const gate = (k: number, u: number): Near => plus(left(k * size + u), product(op.wh, sh, k * size + u, h));
      const units = Array.from({ length: size }, (_, u) => u);
      if (op.kind === 'lstm') {
        const next = units.map((u) =>
          plus(times(open(gate(1, u)), c[u]!), times(open(gate(0, u)), bent(gate(2, u))), 1.01 * cell),
        );
        h = units.map((u) => plus(times(open(gate(3, u)), bent(next[u]!, 32768 * cell)), { v: 0, e: 1.01 * step }));
        c = next;
      } else {
        const reset = units.map((u) => open(gate(1, u)));
        const kept = units.map((u) => plus(times(reset[u]!, h[u]!), { v: 0, e: step }));
        h = units.map((u) => {
          const z = open(gate(0, u));
          const r = 2 * size + u;
          const term = op.bh
            ? times(reset[u]!, plus({ v: op.bh[u]!, e: GATE_ROUNDING }, product(op.wh, sh, r, h)))
            : product(op.wh, sh, r, kept);
          const fresh = bent(plus(left(r), term, GATE_ROUNDING));
          return plus(times({ v: 1 - z.v, e: z.e }, fresh), times(z, h[u]!), 1.01 * step);
        });
      }
      const give = op.kind === 'lstm' && op.what === 'last_c' ? c : h;
      const to = op.kind === 'lstm' && op.what === 'last_c' ? n * size : (t * batch + n) * size;
      give.forEach((v, u) => {
        error[to + u] = v.e;
      });
    }
  }
  return { data: error, shape: y.shape };
}
