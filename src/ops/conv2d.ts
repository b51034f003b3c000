/**
 * conv2d: convolution of NHWC images with OHWI weights (spec/10-ops.md, "conv2d").
 * @module
 */
import { charged } from '../core/cost.ts';
import { addDim, type Dim, least } from '../core/dim.ts';
import { floorDiv } from '../core/int.ts';
import { product, times } from '../core/poly.ts';
import {
  type Bounds,
  defineOp,
  type NodeCost,
  type OpDef,
  type OutType,
  type RuleContext,
  type Stage,
  stageField,
  type TypedContext,
} from './define.ts';
import { chargedMacs, checkBias, constantData, macClass, proveRows, rowSums } from './linear.ts';
import { centred, counts, elements, hull, rows, stagedType, staticDim } from './rules.ts';
import { outputExtent } from './window.ts';

/** Attributes of conv2d. `pads`: top, left, bottom, right. `stage` absent: the raw i32 accumulator. */
export interface Conv2dAttrs {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly groups: number;
  readonly stage?: Stage;
}

/** Operand slots. */
export type In = readonly [x: 1, w: 1, b: 1];

/** Cost of a convolution whose weights meet each of some positions [N,rows,columns]. */
export function convCost(c: TypedContext<Conv2dAttrs, In>, positions: readonly Dim[], once = 0): NodeCost {
  const [x, w] = c.in;
  const [o, kh, kw, cg] = w.shape as readonly number[] as [number, number, number, number];
  const perGroup = floorDiv(o, c.a.groups);
  const depthwise = cg === 1 && perGroup === 1;
  const [y] = c.out as readonly [OutType];
  const pixels = [...y.shape.slice(0, 3), depthwise ? 1 : c.a.groups];
  const macs = depthwise
    ? (['mac_depthwise', times(product(positions, c.symbols), charged(o, 16) * kh * kw)] as const)
    : ([macClass(x.dtype, 'i8'), chargedMacs(c.symbols, positions, perGroup, kh * kw * cg, c.a.groups)] as const);
  return {
    counts: counts(macs, ['staged', elements(c, y)], rows(c, pixels, kh * kw + 2), rows(c, [], once * kh * kw)),
  };
}

/** Checks images, weights, groups and bias; returns the weights’ extents [O,KH,KW,C/groups]. */
export function checkWeights(c: RuleContext<Conv2dAttrs, In>): readonly [number, number, number, number] {
  const [x, w, b] = c.in;
  const { groups } = c.a;
  if (x.shape.length !== 4 || w.shape.length !== 4)
    c.fail('BadShape', 'x and w have rank 4', '4, 4', `${x.shape.length}, ${w.shape.length}`);
  const [o, kh, kw, cg] = w.shape as readonly number[] as [number, number, number, number];
  if (o < 1 || kh < 1 || kw < 1 || kh > 1048576 || kw > 1048576)
    c.fail('BadShape', 'O and the kernel are at least 1', '1…2^20', `${o}, ${kh}×${kw}`);
  if (kh * kw * cg > 16777216) c.fail('BadShape', 'KH·KW·C/g exceeds 2^24', 16777216, kh * kw * cg);
  const channels = staticDim(c, x.shape[3]!, 'C');
  if (o % groups !== 0 || cg * groups !== channels)
    c.fail('BadShape', 'groups must divide O, and C = groups·w.shape[3]', cg * groups, channels);
  if (b.shape.length !== 1 || b.shape[0] !== o)
    c.fail('BadShape', 'b has shape [O]', `[${o}]`, JSON.stringify(b.shape));
  checkBias(c, b);
  return [o, kh, kw, cg];
}

/** Proof and output interval of a convolution; `padded`: a tap may lie outside the image. */
export function convBounds(c: TypedContext<Conv2dAttrs, In>, padded: boolean): Bounds {
  const [x, w, b] = c.in;
  const taps = centred(c, x);
  const tap = padded ? hull(taps, { lo: 0, hi: 0 }) : taps;
  const { y, facts } = proveRows(c, rowSums(w, w.shape[0] as number), constantData(b), tap, c.a.stage);
  return { y: [y], facts };
}

/** Definition of conv2d: x [N,H,W,C], w [O,KH,KW,C/groups], b [O] → [N,OH,OW,O]. */
export const conv2d: OpDef<Conv2dAttrs, In> = /* @__PURE__ */ defineOp<Conv2dAttrs, In>({
  code: 1,
  since: 1,
  // acc = b[o] + Σ w·(x − zx) over the taps inside the image; staged or raw
  operands: [
    { name: 'x', dtypes: ['i8', 'i16'] },
    { name: 'w', dtypes: ['i8'], constant: true, symmetric: true },
    { name: 'b', dtypes: ['i32'], constant: true },
  ],
  attrs: {
    strides: { kind: 'ints', tag: 1, min: 1, max: 1048576, length: 2, default: [1, 1] },
    pads: { kind: 'ints', tag: 2, min: 0, max: 1048576, length: 4, default: [0, 0, 0, 0] },
    dilations: { kind: 'ints', tag: 3, min: 1, max: 1048576, length: 2, default: [1, 1] },
    groups: { kind: 'int', tag: 4, min: 1, max: 16777216, default: 1 },
    stage: stageField(5, ['i8', 'i16'], { raw: true }),
  },
  type(c) {
    const [x] = c.in;
    const { strides, pads, dilations, stage } = c.a;
    const [o, kh, kw] = checkWeights(c);
    const side = (i: 0 | 1): Dim => {
      const padded = addDim(x.shape[i + 1]!, pads[i]! + pads[i + 2]!);
      const out = outputExtent(c, padded, i === 0 ? kh : kw, strides[i]!, dilations[i]!);
      if (least(out, c.symbols) < 1)
        c.fail('BadShape', 'the output must have at least one row and column', '≥ 1', least(out, c.symbols));
      return out;
    };
    return [stagedType(c, stage, [x.shape[0]!, side(0), side(1), o], o)];
  },
  bounds: (c) =>
    convBounds(
      c,
      c.a.pads.some((p) => p > 0),
    ),
  cost: (c) => convCost(c, c.out[0]!.shape.slice(0, 3)),
});
