/**
 * Functions of the float interpreter that work on rows: the last axis.
 * @module
 */
import type { GroupNorm, LayerNorm, Softmax } from '../float-graph.ts';
import { exp, log } from '../math.ts';
import { type Block, spread } from './block.ts';

/** Greatest kept element of a row and the sum of e^(x − greatest) over the kept ones, which are written to y; 0 elsewhere. */
function weights(x: Block, y: Block, from: number, kept: (j: number) => boolean): { max: number; sum: number } {
  const k = x.shape.at(-1)!;
  let max = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < k; j++) if (kept(j)) max = Math.max(max, x.data[from + j]!);
  let sum = 0;
  for (let j = 0; j < k; j++) sum += y.data[from + j] = kept(j) ? exp(x.data[from + j]! - max) : 0;
  return { max, sum };
}

/** Softmax over the kept entries of each row; a row that keeps none is 0. */
export function softmax(op: Softmax, x: Block, y: Block, mask?: Block): void {
  const [rows, k] = [x.shape.at(-2) ?? 1, x.shape.at(-1)!];
  const keep = mask ? spread(mask, x) : undefined;
  const { causal } = op;
  for (let from = 0; from < x.data.length; from += k) {
    const last = causal === null ? k - 1 : ((from / k) % rows) + causal;
    const { sum } = weights(x, y, from, (j) => j <= last && keep?.[from + j] !== 0);
    for (let j = 0; j < k; j++) y.data[from + j] = sum === 0 ? 0 : y.data[from + j]! / sum;
  }
}

/** Logarithm of the softmax of each row. */
export function logSoftmax(x: Block, y: Block): void {
  const k = x.shape.at(-1)!;
  for (let from = 0; from < x.data.length; from += k) {
    const { max, sum } = weights(x, y, from, () => true);
    const top = max + log(sum);
    for (let j = 0; j < k; j++) y.data[from + j] = x.data[from + j]! - top;
  }
}

/** Each row less its mean, over its deviation. */
export function layerNorm(op: LayerNorm, x: Block, y: Block): void {
  const n = x.shape.at(-1)!;
  for (let from = 0; from < x.data.length; from += n) {
    let mean = 0;
    for (let j = 0; j < n; j++) mean += x.data[from + j]!;
    mean = op.rms ? 0 : mean / n;
    let squares = 0;
    for (let j = 0; j < n; j++) squares += (x.data[from + j]! - mean) * (x.data[from + j]! - mean);
    const r = 1 / Math.sqrt(squares / n + op.eps);
    for (let j = 0; j < n; j++) y.data[from + j] = (x.data[from + j]! - mean) * r * op.gamma[j]! + op.beta[j]!;
  }
}

/** Each group of channels of an image less its mean, over its deviation. */
export function groupNorm(op: GroupNorm, x: Block, y: Block): void {
  const [images, h, w, c] = x.shape as [number, number, number, number];
  const width = c / op.groups;
  for (let n = 0; n < images; n++)
    for (let g = 0; g < op.groups; g++) {
      const each = (visit: (at: number, channel: number) => void): void => {
        for (let p = 0; p < h * w; p++)
          for (let j = g * width; j < (g + 1) * width; j++) visit((n * h * w + p) * c + j, j);
      };
      let [mean, squares] = [0, 0];
      each((at) => {
        mean += x.data[at]!;
      });
      mean /= h * w * width;
      each((at) => {
        squares += (x.data[at]! - mean) * (x.data[at]! - mean);
      });
      const r = 1 / Math.sqrt(squares / (h * w * width) + op.eps);
      each((at, j) => {
        y.data[at] = (x.data[at]! - mean) * r * op.gamma[j]! + op.beta[j]!;
      });
    }
}
