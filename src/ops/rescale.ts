/**
 * rescale: one output stage, per channel of the last axis or for all (spec/10-ops.md, "rescale").
 * @module
 */
import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import { centred, magnitude, perRow, proveBound, stagedInterval, stagedType } from './rules.ts';

/** Attributes of rescale. */
export interface RescaleAttrs {
  readonly stage: Stage;
}

/** Definition of rescale: x → stage(x', channel), shape kept. */
export const rescale: OpDef<RescaleAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<RescaleAttrs, readonly [x: 1]>({
  code: 10,
  since: 1,
  // stage(x − zx, channel)
  operands: [{ name: 'x', dtypes: ['i8', 'i16', 'i32'] }],
  attrs: { stage: stageField(1, ['i8', 'i16']) },
  type(c) {
    const { shape } = c.in[0];
    const channels = shape.length === 0 ? 1 : shape[shape.length - 1]!;
    return [stagedType(c, c.a.stage, shape, typeof channels === 'number' ? channels : 1)];
  },
  bounds(c) {
    const acc = centred(c, c.in[0]);
    proveBound(c, magnitude(acc), 'x − zx');
    return { y: [stagedInterval(c, c.a.stage, acc)], facts: { bound: magnitude(acc), accLo: acc.lo, accHi: acc.hi } };
  },
  cost: (c) => perRow(c, 'staged', c.in[0].shape, c.a.stage.m.length > 1 ? 5 : 0),
});
