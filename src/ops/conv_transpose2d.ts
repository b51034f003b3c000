/**
 * conv_transpose2d: transposed convolution of NHWC images with OHWI weights (spec/10-ops.md, "conv_transpose2d").
 * @module
 */
import { type Conv2dAttrs, checkWeights, conv2d, convBounds, convCost, type In } from './conv2d.ts';
import { defineOp, type OpDef } from './define.ts';
import { stagedType, staticDim } from './rules.ts';

/** Attributes of conv_transpose2d. `output_padding`: rows and columns added below and right. */
export interface ConvTranspose2dAttrs extends Conv2dAttrs {
  readonly output_padding: readonly number[];
}

/** Definition of conv_transpose2d: x [N,H,W,C], w [O,KH,KW,C/groups], b [O] → [N,OH,OW,O]. */
export const conv_transpose2d: OpDef<ConvTranspose2dAttrs, In> = /* @__PURE__ */ defineOp<ConvTranspose2dAttrs, In>({
  code: 2,
  since: 1,
  // acc = b[o] + Σ w[o,ky,kx]·(x[ty/sh,tx/sw] − zx) over the taps with ty = oy + pt − ky·dh a multiple of sh inside the image
  operands: conv2d.operands,
  attrs: {
    ...conv2d.attrs,
    output_padding: { kind: 'ints', tag: 6, min: 0, max: 1048576, length: 2, default: [0, 0] },
  },
  type(c) {
    const [x] = c.in;
    const { strides, pads, dilations, output_padding } = c.a;
    const [o, ...kernel] = checkWeights(c);
    const side = (i: 0 | 1): number => {
      const [n, more] = [staticDim(c, x.shape[i + 1]!, 'an axis of the image'), output_padding[i]!];
      const [s, d] = [strides[i]!, dilations[i]!];
      if (n < 1) c.fail('BadShape', 'the image has at least one row and column', '≥ 1', n);
      if (more >= Math.max(s, d))
        c.fail('BadAttribute', 'output_padding is below the stride or the dilation', `0…${Math.max(s, d) - 1}`, more);
      const full = (n - 1) * s + (kernel[i]! - 1) * d + 1 + more;
      if (full >= 1073741824) c.fail('Limit', 'a transposed extent exceeds 2^30', 1073741824, full);
      const out = full - pads[i]! - pads[i + 2]!;
      if (out < 1) c.fail('BadShape', 'the output must have at least one row and column', '≥ 1', out);
      return out;
    };
    return [stagedType(c, c.a.stage, [x.shape[0]!, side(0), side(1), o], o)];
  },
  bounds: (c) => convBounds(c, true),
  cost: (c) => convCost(c, c.in[0].shape.slice(0, 3), 40),
});
