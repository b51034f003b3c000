/**
 * Adapters of the vectors of recurrent cells (elements.ts holds all others).
 * @module
 */
import { readGolden } from '../golden.ts';
import type { NodeCase, Tensor } from './node.ts';
import { constant, flat, type Json, type Nested, nested, operand, shapeOf } from './operands.ts';

/** A node, the elements of its outputs (undefined: not stated), and those of its committed intermediates. */
export interface Known extends NodeCase {
  readonly outputs: readonly (readonly number[] | undefined)[];
  readonly steps?: Readonly<Record<string, readonly number[]>>;
  /** Compares only these elements of every output and step. */
  readonly only?: { readonly [name: string]: readonly number[] };
}

/** Tables by name. */
export const TABLES: Readonly<Record<string, number[]>> = readGolden<Record<string, number[]>>('numerics', 'tables');

function tables(a: Json): Tensor[] {
  return ['sigmoid', 'tanh', 'tanh_c'].map((t) => constant('i16', [513], TABLES[a[t] ?? a.tanh]!));
}

function cellAttrs(a: Json): Record<string, unknown> {
  const { mx, lx, mh, lh, kc, qh, lo, hi } = a;
  const words = (m: readonly number[]): readonly number[] => (m.every((v) => v === m[0]) ? [m[0]!] : m);
  return { mx: words(mx!), lx, mh: words(mh!), lh, kc, qh, lo, hi, reverse: Boolean(a.reverse ?? false) };
}

/**
 * Hidden values and weights whose products give the four accumulators: h0 holds 1, 256 (i16) and least values enough.
 * Unit 0 is the one under test; the rows of all others are zero.
 */
function recurrentSum(sums: readonly number[], qh: number): { h0: number[]; rows: number[][] } {
  const low = qh === 15 ? -32768 : -128;
  const h0 = qh === 15 ? [1, 256] : [1];
  const rows = sums.map((): number[] => []);
  const rest = sums.map((s, r) => {
    const digit = ((((s + 128) % 256) + 256) % 256) - 128;
    rows[r]!.push(digit);
    if (qh !== 15) return s - digit;
    const next = (s - digit) / 256;
    const second = ((((next + 64) % 128) + 128) % 128) - 64;
    rows[r]!.push(second);
    return s - digit - 256 * second;
  });
  const units = rest.map((v) => v / low);
  const count = Math.max(0, ...units.map((u) => Math.ceil(Math.abs(u) / 127)));
  for (let j = 0; j < count; j++) {
    h0.push(low);
    units.forEach((u, r) => {
      const w = Math.max(-127, Math.min(127, u));
      rows[r]!.push(w + 0);
      units[r] = u - w;
    });
  }
  return { h0, rows };
}

/** One step of one unit, whose accumulators are given. */
export function cell(a: Json, i: Json, expected: Json): Known {
  const qh = a.qh as number;
  const { h0, rows } = recurrentSum(i.acc_h, qh);
  const h = h0.length;
  const wh = new Array<number>(4 * h * h).fill(0);
  rows.forEach((row, g) => {
    row.forEach((w, j) => {
      wh[g * h * h + j] = w;
    });
  });
  const b = new Array<number>(4 * h).fill(0);
  const spread = (m: readonly number[], fill: number): number[] =>
    Array.from({ length: 4 * h }, (_, r) => (r % h === 0 ? m[r / h]! : fill));
  (i.acc_x as number[]).forEach((v, g) => {
    b[g * h] = v;
  });
  const attrs = cellAttrs({ ...a, mx: spread(a.mx, a.mx[0]!), mh: spread(a.mh, a.mh[0]!) as never });
  const c0 = new Array<number>(h).fill(0);
  c0[0] = i.c;
  const operands = [
    operand([1, 1, 1], [0], 0, 'i8'),
    constant('i8', [4 * h, 1], new Array<number>(4 * h).fill(0)),
    constant('i8', [4 * h, h], wh),
    constant('i32', [4 * h], b),
    operand([1, h], h0, 0, qh === 15 ? 'i16' : 'i8'),
    operand([1, h], c0, 0, 'i16'),
    ...tables(a),
  ];
  return {
    op: 'lstm',
    attrs,
    operands,
    outputs: [[expected.h!], [expected.h!], [expected.c!]],
    steps: { p: expected.p!, c: [expected.c!] },
    only: { out: [0], p: [0, h, 2 * h, 3 * h], c: [0] },
  };
}

/** One step of one unit of a gru, reset behind the product: unit 0; the others hold what its gates z and r sum up. */
export function gruCell(a: Json, i: Json, expected: Json): Known {
  const qh = a.qh as number;
  const sums = recurrentSum((i.acc_h as number[]).slice(0, 2), qh);
  const h0 = [i.h as number, ...sums.h0];
  const h = h0.length;
  const wh = new Array<number>(3 * h * h).fill(0);
  sums.rows.forEach((row, g) => {
    row.forEach((w, j) => {
      wh[g * h * h + j + 1] = w;
    });
  });
  const at = (v: readonly number[], n: number): number[] =>
    Array.from({ length: n * h }, (_, r) => (r % h === 0 ? v[r / h]! : 0));
  const filled = (m: readonly number[]): number[] => Array.from({ length: 3 * h }, (_, r) => m[Math.floor(r / h)]!);
  const { kc, ...attrs } = cellAttrs({ ...a, mx: filled(a.mx), mh: filled(a.mh) as never });
  const operands = [
    operand([1, 1, 1], [0], 0, 'i8'),
    constant('i8', [3 * h, 1], new Array<number>(3 * h).fill(0)),
    constant('i8', [3 * h, h], wh),
    constant('i32', [3 * h], at(i.acc_x, 3)),
    operand([1, h], h0, 0, qh === 15 ? 'i16' : 'i8'),
    ...tables(a).slice(0, 2),
    constant('i32', [h], at([i.acc_h[2]], 1)),
  ];
  const outputs = [[expected.h!], [expected.h!]];
  return { op: 'gru', attrs, operands, outputs, steps: { pn: [expected.p_n!] }, only: { out: [0], pn: [0] } };
}

/** Whole sequences of a gru. */
export function gruSequence(a: Json, i: Json, e: Json): Known {
  const { kc, ...attrs } = cellAttrs(a);
  const { operands } = sequence({ ...a, tanh_c: a.tanh }, { ...i, c0: i.h0 }, e);
  const bh = i.bh === null ? [] : [constant('i32', [flat(i.bh).length], flat(i.bh))];
  const own = operands.filter((_, k) => k !== 5 && k !== 8);
  return { op: 'gru', attrs, operands: [...own, ...bh], outputs: [flat(e.h), flat(e.last_h)] };
}

/** Whole sequences. */
export function sequence(a: Json, i: Json, e: Json): Known {
  const [wx, wh, h0] = [i.wx as Nested, i.wh as Nested, i.h0 as Nested];
  const [n, d] = [shapeOf(h0)[0]!, shapeOf(wx)[1]!];
  const x = i.x as Nested[];
  const operands = [
    operand([x.length, n, d], flat(x), a.zx),
    constant('i8', shapeOf(wx), flat(wx)),
    constant('i8', shapeOf(wh), flat(wh)),
    constant('i32', [flat(i.b).length], flat(i.b)),
    nested(h0, 0, a.qh === 15 ? 'i16' : 'i8'),
    nested(i.c0, 0, 'i16'),
    ...tables(a),
  ];
  return {
    op: 'lstm',
    attrs: cellAttrs(a),
    operands,
    outputs: [flat(e.h), flat(e.last_h), flat(e.last_c ?? [])],
    steps: { p: flat(e.p ?? []) },
  };
}
