/**
 * The one-element references of layer_norm, rms_norm and group_norm (spec/10-ops.md).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { type Cell, folded, type Reference, type Step } from '../define.ts';
import { finishVariance, meanQ, normElement } from '../norm.ts';
import type { GroupNormAttrs, In, NormAttrs } from '../norms.ts';

/** A row: its number, its elements and how they lie. Element i is at start + ⌊i / width⌋·step + i mod width. */
interface Row {
  readonly index: number;
  readonly n: number;
  readonly start: number;
  readonly width: number;
  readonly step: number;
}

type NormCell = Cell<NormAttrs, In>;

/** The row of the last axis. */
function lastAxis(c: NormCell): Row {
  const { shape } = c.in[0];
  const n = shape[shape.length - 1]!;
  let index = 0;
  for (let d = 0; d < shape.length - 1; d++) index = index * shape[d]! + c.at[d]!;
  return { index, n, start: index * n, width: n, step: n };
}

/** The row of an image’s group: the cell is a group’s [N,G], or an element. */
function groupOf(c: NormCell): Row {
  const [, h, w, channels] = c.in[0].shape as readonly [number, number, number, number];
  const { groups } = c.a as GroupNormAttrs;
  const width = floorDiv(channels, groups);
  const image = c.at[0]!;
  const group = c.at.length === 2 ? c.at[1]! : floorDiv(c.at[3]!, width);
  const start = image * h * w * channels + group * width;
  return { index: image * groups + group, n: h * w * width, start, width, step: channels };
}

/** Element i of a row, less the zero point. */
function centred({ in: [x] }: NormCell, { start, width, step }: Row): (i: number) => number {
  return (i) => {
    const line = floorDiv(i, width);
    return x.data[start + line * step + i - line * width]! - x.zp;
  };
}

/* @__NO_SIDE_EFFECTS__ */
function steps(
  rowOf: (c: NormCell) => Row,
  shape: (c: Omit<NormCell, 'at'>) => readonly number[],
  rms: boolean,
): Reference<NormAttrs, In> {
  const sum: Step<NormAttrs, In> = {
    name: 's1',
    shape,
    ...folded({
      combine: 'sum',
      terms: (c) => rowOf(c).n,
      part(c, from, to) {
        const a = centred(c, rowOf(c));
        let total = 0;
        for (let i = from; i < to; i++) total += a(i);
        return total;
      },
      finish: (_, total) => total,
    }),
  };
  const s1 = (c: NormCell, row: Row): number => (rms ? 0 : c.step['s1']!.data[row.index]!);
  return {
    steps: [
      ...(rms ? [] : [sum]),
      {
        name: 'v',
        bits: 64,
        shape,
        ...folded<NormAttrs, In>({
          combine: 'sum',
          terms: (c) => rowOf(c).n,
          part(c, from, to) {
            const row = rowOf(c);
            const [a, f] = [centred(c, row), c.facts['fraction']!];
            const mean = rms ? 0 : meanQ(s1(c, row), row.n, f);
            let squares = 0;
            for (let i = from; i < to; i++) squares += (a(i) * 2 ** f - mean) ** 2;
            return squares;
          },
          finish(c, squares) {
            const row = rowOf(c);
            return finishVariance(squares, row.n, s1(c, row), c.facts['fraction']!, Number(c.a.eps), rms);
          },
        }),
      },
      {
        name: 'y',
        output: 0,
        element(c) {
          const [x, gamma, beta] = c.in;
          const row = rowOf(c);
          const channel = c.at[c.at.length - 1]!;
          let i = 0;
          for (let d = 0; d < c.at.length; d++) i += c.at[d]! * x.strides[d]!;
          const facts = { s1: s1(c, row), v: c.step['v']!.data[row.index]!, n: row.n, f: c.facts['fraction']!, rms };
          return normElement(x.data[i]! - x.zp, facts, gamma.data[channel]!, beta.data[channel]!, c.a.g, c.a.output);
        },
      },
    ],
  };
}

const leading = (c: Omit<NormCell, 'at'>): readonly number[] => c.in[0].shape.slice(0, -1);

/** The one-element reference of layer_norm. */
export const layerNormSteps: Reference<NormAttrs, In> = /* @__PURE__ */ steps(lastAxis, leading, false);
/** The one-element reference of rms_norm: V alone is committed, since S1 is 0. */
export const rmsNormSteps: Reference<NormAttrs, In> = /* @__PURE__ */ steps(lastAxis, leading, true);
/** The one-element reference of group_norm: facts [N,G]. */
export const groupNormSteps: Reference<GroupNormAttrs, In> = /* @__PURE__ */ steps(
  groupOf,
  (c) => [c.in[0].shape[0]!, (c.a as GroupNormAttrs).groups],
  false,
);
