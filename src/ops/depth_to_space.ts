/**
 * depth_to_space and space_to_depth: blocks of pixels to channels and back (spec/10-ops.md, "Move").
 * @module
 */
import { floorDiv } from '../core/int.ts';
import { defineOp, type OpDef, type RuleContext } from './define.ts';
import { MOVABLE, moveCost } from './move.ts';
import { staticDim } from './rules.ts';

/** Attributes of depth_to_space. DCR: channel (i·b + j)·C' + c; CRD: c·b² + i·b + j. */
export interface DepthToSpaceAttrs {
  readonly block: number;
  readonly mode: string;
}

/** Attributes of space_to_depth, the inverse of mode DCR. */
export interface SpaceToDepthAttrs {
  readonly block: number;
}

/** Operand slots. */
export type In = readonly [x: 1];
const BLOCK = { kind: 'int', tag: 1, min: 1, max: 32768 } as const;

/** Static extents H, W, C of a rank-4 x. */
function extents<A>(c: RuleContext<A, In>): readonly [number, number, number] {
  const { shape } = c.in[0];
  if (shape.length !== 4) c.fail('BadShape', 'x has rank 4', 4, shape.length);
  return [staticDim(c, shape[1]!, 'H'), staticDim(c, shape[2]!, 'W'), staticDim(c, shape[3]!, 'C')];
}

/** Definition of depth_to_space: x [N,H,W,b²C'] → [N,bH,bW,C']. */
export const depth_to_space: OpDef<DepthToSpaceAttrs, In> = /* @__PURE__ */ defineOp<DepthToSpaceAttrs, In>({
  code: 38,
  since: 1,
  // y[h·b+i, w·b+j, c] = x[h, w, (i·b+j)·C′+c] (DCR) or x[h, w, c·b²+i·b+j] (CRD)
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: { block: BLOCK, mode: { kind: 'enum', tag: 2, values: ['DCR', 'CRD'], default: 'DCR' } },
  type(c) {
    const [h, w, ch] = extents(c);
    const b = c.a.block;
    if (ch % (b * b) !== 0) c.fail('BadShape', 'b² divides C', 0, ch % (b * b));
    return [{ dtype: c.in[0].dtype, shape: [c.in[0].shape[0]!, h * b, w * b, floorDiv(ch, b * b)], zp: c.in[0].zp }];
  },
  bounds: (c) => ({ y: [{ lo: c.in[0].lo, hi: c.in[0].hi }] }),
  cost(c) {
    if (c.a.block === 1) return moveCost(c, c.out[0]!, null);
    const share = c.a.mode === 'DCR' ? (c.out[0]!.shape[3] as number) : 1;
    return moveCost(c, c.out[0]!, { axis: 3, share });
  },
});

/** Definition of space_to_depth: x [N,bH,bW,C] → [N,H,W,b²C]. */
export const space_to_depth: OpDef<SpaceToDepthAttrs, In> = /* @__PURE__ */ defineOp<SpaceToDepthAttrs, In>({
  code: 39,
  since: 1,
  // y[h, w, (i·b+j)·C+c] = x[h·b+i, w·b+j, c]
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: { block: BLOCK },
  type(c) {
    const [h, w, ch] = extents(c);
    const b = c.a.block;
    if (h % b !== 0 || w % b !== 0) c.fail('BadShape', 'b divides H and W', '0, 0', `${h % b}, ${w % b}`);
    return [
      { dtype: c.in[0].dtype, shape: [c.in[0].shape[0]!, floorDiv(h, b), floorDiv(w, b), ch * b * b], zp: c.in[0].zp },
    ];
  },
  bounds: (c) => ({ y: [{ lo: c.in[0].lo, hi: c.in[0].hi }] }),
  cost(c) {
    return moveCost(c, c.out[0]!, c.a.block === 1 ? null : { axis: 3, share: c.in[0].shape[3] as number });
  },
});
