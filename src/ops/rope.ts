/**
 * rope: rotary position embedding (spec/10-ops.md, "rope").
 * @module
 */
import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import {
  centred,
  counts,
  elements,
  magnitude,
  proveBound,
  rows,
  stagedInterval,
  stagedType,
  staticDim,
} from './rules.ts';

/** Attributes of rope: a phase step a pair of columns; `position` is that of row 0 where no operand gives it. */
export interface RopeAttrs {
  readonly step: Int32Array;
  readonly interleaved: boolean;
  readonly position: number;
  readonly stage: Stage;
}

/** Operand slots. */
export type In = readonly [x: 1, position?: 1];

/** Greatest |cos| + |sin| in Q14 over all phases. */
const REACH = 23171;

/** Definition of rope: x […,S,D], position i32 [1]? → […,S,D]. */
export const rope: OpDef<RopeAttrs, In> = /* @__PURE__ */ defineOp<RopeAttrs, In>({
  code: 44,
  since: 1,
  // pairs (x1, x2) → stage(x1·c − x2·s), stage(x1·s + x2·c) at phase (position + row)·step; other columns stage(x·2^14)
  operands: [
    { name: 'x', dtypes: ['i8', 'i16'], symmetric: true },
    { name: 'position', dtypes: ['i32'], optional: true },
  ],
  attrs: {
    step: { kind: 'words', tag: 1, min: -2147483648, max: 2147483647, maxLength: 16777216 },
    interleaved: { kind: 'bool', tag: 2 },
    position: { kind: 'int', tag: 3, min: -2147483648, max: 2147483647, default: 0 },
    stage: stageField(4, ['i8', 'i16'], { perChannel: false }),
  },
  type(c) {
    const [x, position] = c.in;
    const { step, stage } = c.a;
    if (x.shape.length < 2) c.fail('BadShape', 'x has rank ≥ 2', '≥ 2', x.shape.length);
    const d = staticDim(c, x.shape[x.shape.length - 1]!, 'D');
    if (step.length < 1 || 2 * step.length > d)
      c.fail('BadAttribute', 'a step a pair of the columns', `1…${d >> 1}`, step.length);
    if (position !== undefined && (position.shape.length !== 1 || position.shape[0] !== 1))
      c.fail('BadShape', 'position has shape [1]', '[1]', JSON.stringify(position.shape));
    if (position !== undefined && c.a.position !== 0) c.fail('BadAttribute', 'position is an attribute or an operand');
    return [stagedType(c, stage, x.shape, 1)];
  },
  bounds(c) {
    const bound = REACH * magnitude(centred(c, c.in[0]));
    proveBound(c, bound, 'a rotated value');
    const y = stagedInterval(c, c.a.stage, { lo: -bound, hi: bound });
    return { y: [y], facts: { bound, accLo: -bound, accHi: bound } };
  },
  cost(c) {
    const { shape } = c.in[0];
    const position = shape[shape.length - 2]!;
    return {
      counts: counts(
        ['rope', elements(c, c.in[0])],
        rows(c, shape.slice(0, -1), 5),
        rows(c, [position, c.a.step.length], 2), // sine and cosine of each angle
      ),
    };
  },
});
