/**
 * pad: a border of constant, edge or mirrored values (spec/10-ops.md, "Move").
 * @module
 */
import { addDim, least } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { lastAxis, MOVABLE, moveCost } from './move.ts';
import { hull, rows, worst } from './rules.ts';

/** Attributes of pad, one entry an axis. `reflect` does not repeat the edge. */
export interface PadAttrs {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: string;
}

const AMOUNTS = { kind: 'ints', min: 0, max: 1048576, maxLength: 8 } as const;

/** Definition of pad: x, and for mode `constant` a raw value: scalar, or a vector along the last axis of y. */
export const pad: OpDef<PadAttrs, readonly [x: 1, value?: 1]> = /* @__PURE__ */ defineOp<
  PadAttrs,
  readonly [x: 1, value?: 1]
>({
  code: 34,
  since: 1,
  // x inside, and around it the value, the nearest element (edge) or the mirrored one (reflect)
  operands: [
    { name: 'x', dtypes: MOVABLE },
    { name: 'value', dtypes: MOVABLE, constant: true, optional: true },
  ],
  attrs: {
    before: { ...AMOUNTS, tag: 1 },
    after: { ...AMOUNTS, tag: 2 },
    mode: { kind: 'enum', tag: 3, values: ['constant', 'edge', 'reflect'], default: 'constant' },
  },
  type(c) {
    const [x, value] = c.in;
    const { before, after, mode } = c.a;
    const rank = x.shape.length;
    if (before.length !== rank || after.length !== rank)
      c.fail('BadAttribute', 'before and after have one entry an axis', rank, `${before.length}, ${after.length}`);
    if ((mode === 'constant') !== (value !== undefined))
      c.fail('BadOperand', 'a value goes with mode constant and with no other');
    const shape = x.shape.map((d, i) => addDim(d, before[i]! + after[i]!));
    if (value !== undefined) {
      if (value.dtype !== x.dtype || value.zp !== x.zp)
        c.fail('BadType', 'the value has the type of x', `${x.dtype} zp ${x.zp}`, `${value.dtype} zp ${value.zp}`);
      const vector = value.shape.length === 1 && rank > 0 && value.shape[0] === shape[rank - 1];
      if (value.shape.length !== 0 && !vector)
        c.fail(
          'BadShape',
          'the value is a scalar or a vector along the last axis',
          '[] or [C]',
          JSON.stringify(value.shape),
        );
    }
    x.shape.forEach((d, i) => {
      const room = least(d, c.symbols);
      const need = mode === 'constant' ? 0 : mode === 'edge' ? 1 : 1 + Math.max(before[i]!, after[i]!);
      if (room < need) c.fail('BadShape', `axis ${i} is too short for mode ${mode}`, `≥ ${need}`, room);
    });
    return [{ dtype: x.dtype, shape, zp: x.zp }];
  },
  bounds(c) {
    const [x, value] = c.in;
    return { y: [value === undefined ? { lo: x.lo, hi: x.hi } : hull(worst(c, x), worst(c, value))] };
  },
  cost(c) {
    const { before, after } = c.a;
    const axis = lastAxis(before.length, (i) => before[i]! + after[i]! > 0);
    const changed = axis < 0 ? null : { axis, share: least(c.in[0].shape[axis]!, c.symbols) };
    return moveCost(c, c.out[0]!, changed, rows(c, [before.length], 40));
  },
});
