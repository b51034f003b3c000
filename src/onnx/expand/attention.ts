/**
 * Attention and what goes with it, spelt as products and a softmax.
 * @module
 */
import type { Expand, Expansion } from './context.ts';

/** What a mask puts in place of what it leaves out. */
const NEVER = Number.NEGATIVE_INFINITY;

/** An operand as [batch, heads, rows, columns] with its shape; three axes hold the heads in the last one. */
function heads(e: Expansion, i: number, count: string): { name: string; shape: readonly number[] } {
  const shape = e.shape(i);
  if (shape.length === 4) return { name: e.input(i), shape };
  const n = e.int(count, 0);
  const [b, rows, width] = shape as [number, number, number];
  if (shape.length !== 3 || n < 1 || width % n !== 0)
    return e.fail('BadGraph', `an operand of ${shape.length} axes does not hold ${n} heads`);
  const own = e.reshape(e.input(i), [b, rows, n, width / n]);
  return { name: e.op('Transpose', [own], { perm: [0, 2, 1, 3] }), shape: [b, n, rows, width / n] };
}

/** Keys or values behind those of earlier steps. */
function behind(e: Expansion, past: number, own: { name: string; shape: readonly number[] }): typeof own {
  if (!e.given(past)) return own;
  const [b, n, rows, width] = own.shape as [number, number, number, number];
  const shape = [b, n, rows + e.shape(past)[2]!, width];
  return { name: e.op('Concat', [e.input(past), own.name], { axis: 2 }), shape };
}

/** Each head of keys or values repeated for the query heads that share it. */
function repeated(e: Expansion, own: { name: string; shape: readonly number[] }, count: number): string {
  const [b, n, rows, width] = own.shape as [number, number, number, number];
  if (n === count) return own.name;
  if (count % n !== 0) e.fail('BadGraph', `${count} query heads do not share ${n}`);
  const wide = e.op('Expand', [e.reshape(own.name, [b, n, 1, rows, width]), e.whole([b, n, count / n, rows, width])]);
  return e.reshape(wide, [b, count, rows, width]);
}

/** The mask in the width of the keys: what it lacks is left out. */
function widened(e: Expansion, columns: number): string {
  const shape = e.shape(3);
  const missing = columns - shape.at(-1)!;
  if (missing <= 0 || shape.at(-1) === 1) return e.input(3);
  const amounts = e.whole([...new Array<number>(2 * shape.length - 1).fill(0), missing]);
  return e.op('Pad', e.dtype(3) === 'bool' ? [e.input(3), amounts] : [e.input(3), amounts, e.real(NEVER)]);
}

/** Numbers f(i, j) of rows and columns as whole numbers like input `like`. */
function grid(e: Expansion, rows: number, columns: number, like: number, f: (i: number, j: number) => number): string {
  const data = Float64Array.from({ length: rows * columns }, (_, at) => f(Math.floor(at / columns), at % columns));
  return e.array({ dtype: e.dtype(like) ?? 'int64', shape: [rows, columns], data });
}

/** The scores with what the masks leave out at −∞, and what they add. */
function masked(e: Expansion, scores: string, rows: number, columns: number, past: number): string {
  let y = scores;
  const leave = (keep: string): void => {
    y = e.op('Where', [keep, y, e.real(NEVER)]);
  };
  if (e.given(3)) {
    if (e.dtype(3) === 'bool') leave(widened(e, columns));
    else y = e.op('Add', [y, widened(e, columns)]);
  }
  const valid = e.given(6) ? e.reshape(e.input(6), [e.shape(6)[0]!, 1, 1, 1]) : undefined;
  if (e.int('is_causal', 0) !== 0) {
    if (valid && !e.given(4)) leave(e.op('LessOrEqual', [grid(e, rows, columns, 6, (i, j) => j - i + rows), valid]));
    else {
      const keep = Float64Array.from({ length: rows * columns }, (_, i) =>
        i % columns <= Math.floor(i / columns) + past ? 1 : 0,
      );
      leave(e.array({ dtype: 'bool', shape: [rows, columns], data: keep }));
    }
  }
  if (valid) leave(e.op('Less', [grid(e, 1, columns, 6, (_, j) => j), valid]));
  return y;
}

/** Attention of opset 23 and 24. */
const Attention: Expand = (e) => {
  for (const side of ['left_window_size', 'right_window_size'])
    if (e.int(side, -1) !== -1) e.fail('UnsupportedForm', `${side} is not supported`);
  const q = heads(e, 0, 'q_num_heads');
  const k = behind(e, 4, heads(e, 1, 'kv_num_heads'));
  const v = behind(e, 5, heads(e, 2, 'kv_num_heads'));
  const [b, n, rows, width] = q.shape as [number, number, number, number];
  const columns = k.shape[2]!;
  const past = e.given(4) ? e.shape(4)[2]! : 0;
  const scale = e.float('scale', 1 / Math.sqrt(width));
  const turned = e.op('Transpose', [repeated(e, k, n)], { perm: [0, 1, 3, 2] });
  const product = e.op('Mul', [e.op('MatMul', [q.name, turned]), e.real(scale)]);
  const cap = e.float('softcap', 0);
  const capped =
    cap > 0 ? e.op('Mul', [e.op('Tanh', [e.op('Mul', [product, e.real(1 / cap)])]), e.real(cap)]) : product;
  const scores = masked(e, capped, rows, columns, past);
  const weights = e.op('Softmax', [scores], { axis: -1 });
  const y = e.op('MatMul', [weights, repeated(e, v, n)]);
  const flat = [b, rows, n * v.shape[3]!];
  if (e.shape(0).length === 4) e.set(0, y);
  else e.set(0, e.reshape(e.op('Transpose', [y], { perm: [0, 2, 1, 3] }), flat));
  e.set(1, k.name);
  e.set(2, v.name);
  e.set(3, [capped, capped, scores, weights][e.int('qk_matmul_output_mode', 0)] ?? capped);
};

/** Halves or pairs of each head turned by an angle of its place. */
const RotaryEmbedding: Expand = (e) => {
  const given = e.shape(0);
  const four = given.length === 4;
  const count = e.int('num_heads', 0);
  const x = four ? { name: e.op('Transpose', [e.input(0)], { perm: [0, 2, 1, 3] }), shape: [given[0]!, given[2]!, given[1]!, given[3]!] } : undefined; // biome-ignore format: one value
  const [b, rows, n, width] = x?.shape ?? [given[0]!, given[1]!, count, given[2]! / count];
  if (!(n! > 0)) e.fail('BadGraph', 'num_heads is missing');
  const own = x?.name ?? e.reshape(e.input(0), [b!, rows!, n!, width!]);
  const turned = e.int('rotary_embedding_dim', 0) || width!;
  const half = turned / 2;
  const table = (i: number): string => {
    const rowsOf = e.given(3) ? e.op('Gather', [e.input(i), e.input(3)], { axis: 0 }) : e.input(i);
    return e.op('Unsqueeze', [rowsOf, e.whole([2])]);
  };
  const part = (name: string, from: number, to: number, step: number): string =>
    e.op('Slice', [name, e.whole([from]), e.whole([to]), e.whole([3]), e.whole([step])]);
  const pairs = e.int('interleaved', 0) !== 0;
  const [p, q] = pairs
    ? [part(own, 0, turned, 2), part(own, 1, turned, 2)]
    : [part(own, 0, half, 1), part(own, half, turned, 1)];
  const [cos, sin] = [table(1), table(2)];
  const real = e.op('Sub', [e.op('Mul', [cos, p]), e.op('Mul', [sin, q])]);
  const imaginary = e.op('Add', [e.op('Mul', [sin, p]), e.op('Mul', [cos, q])]);
  const joined = pairs
    ? e.reshape(e.op('Concat', [e.op('Unsqueeze', [real, e.whole([4])]), e.op('Unsqueeze', [imaginary, e.whole([4])])], { axis: 4 }), [b!, rows!, n!, turned]) // biome-ignore format: one value
    : e.op('Concat', [real, imaginary], { axis: 3 });
  const y = turned === width ? joined : e.op('Concat', [joined, part(own, turned, width!, 1)], { axis: 3 });
  if (four) e.give(0, 'Transpose', [y], { perm: [0, 2, 1, 3] });
  else e.set(0, e.reshape(y, given));
};

/** Attention and what goes with it. */
export const ATTENTION: Readonly<Record<string, Expand>> = { Attention, RotaryEmbedding };
