import { type Cell, folded, type Reference } from '../define.ts';
import type { In, MatmulAttrs } from '../matmul.ts';
import { staged } from '../rules.ts';

/** Offset of the batch part of `at` in an operand whose size-1 axes broadcast. */
function batchOffset(
  v: { readonly shape: readonly number[]; readonly strides: readonly number[] },
  at: readonly number[],
): number {
  let offset = 0;
  for (let i = 0; i < v.shape.length - 2; i++)
    if (v.shape[i] !== 1) offset += at[i + at.length - v.shape.length]! * v.strides[i]!;
  return offset;
}

/** Terms from … to − 1 of the product of a row and a column. */
function part({ in: [a, b], a: { tb }, at }: Cell<MatmulAttrs, In>, from: number, to: number): number {
  const [row, column] = [at[at.length - 2]!, at[at.length - 1]!];
  const k = a.shape[a.shape.length - 1]!;
  const ai = batchOffset(a, at) + row * k;
  const stride = tb ? 1 : b.shape[b.shape.length - 1]!;
  const bi = batchOffset(b, at) + (tb ? column * k : column);
  let acc = 0;
  for (let j = from; j < to; j++) acc += a.data[ai + j]! * b.data[bi + j * stride]!;
  return acc;
}

/** The one-element reference of matmul. */
export const matmulSteps: Reference<MatmulAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      ...folded({
        combine: 'sum',
        terms: (c) => c.in[0].shape[c.in[0].shape.length - 1]!,
        part,
        finish: (c, sum) => staged(sum, c.a.stage, 0),
      }),
    },
  ],
};
