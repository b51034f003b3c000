/**
 * The one-element reference of layer_norm (spec/10-ops.md).
 * @module
 */
import type { Cell, Reference } from '../define.ts';
import type { In, LayerNormAttrs } from '../layer_norm.ts';
import { normElement, varianceSum } from '../norm.ts';

function rowStart(c: Cell<LayerNormAttrs, In>): number {
  const [x] = c.in;
  let i = 0;
  for (let d = 0; d < x.shape.length - 1; d++) i += c.at[d]! * x.strides[d]!;
  return i;
}

function rowNumber(c: Cell<LayerNormAttrs, In>): number {
  let i = 0;
  for (let d = 0; d < c.in[0].shape.length - 1; d++) i = i * c.in[0].shape[d]! + c.at[d]!;
  return i;
}

/** The one-element reference of layer_norm. */
export const layerNormSteps: Reference<LayerNormAttrs, In> = {
  steps: [
    {
      name: 's1',
      shape: (c) => c.in[0].shape.slice(0, -1),
      element(c) {
        const [x] = c.in;
        const [start, n] = [rowStart(c), x.shape[x.shape.length - 1]!];
        let sum = 0;
        for (let i = 0; i < n; i++) sum += x.data[start + i]! - x.zp;
        return sum;
      },
    },
    {
      name: 'v',
      bits: 64,
      shape: (c) => c.in[0].shape.slice(0, -1),
      element(c) {
        const [x] = c.in;
        const [start, n] = [rowStart(c), x.shape[x.shape.length - 1]!];
        const s1 = c.step['s1']!.data[rowNumber(c)]!;
        return varianceSum((i) => x.data[start + i]! - x.zp, n, s1, c.facts['fraction']!, Number(c.a.eps));
      },
    },
    {
      name: 'y',
      output: 0,
      element(c) {
        const [x, gamma, beta] = c.in;
        const [i, r, n] = [c.at[c.at.length - 1]!, rowNumber(c), x.shape[x.shape.length - 1]!];
        const row = { s1: c.step['s1']!.data[r]!, v: c.step['v']!.data[r]!, n, f: c.facts['fraction']!, rms: false };
        return normElement(x.data[rowStart(c) + i]! - x.zp, row, gamma.data[i]!, beta.data[i]!, c.a.g, c.a.output);
      },
    },
  ],
};
