/**
 * layer_norm, rms_norm and group_norm (spec/10-ops.md §5).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';

type Norm = Site<'layer_norm'> | Site<'rms_norm'> | Site<'group_norm'>;

/** Bytes that the kernel of narrow groups keeps of a block of eight. */
const BLOCK = 1536;

/** Rows of `lines` lines of `width` neighbours, `step` elements apart, `groups` of them a block of lines. */
function normed(
  kernel: string,
  s: Norm,
  b: Builder,
  rows: { readonly groups: number; readonly width: number; readonly lines: number; readonly step: number },
  rms: boolean,
): Prepared {
  const [x, gamma, beta] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { eps, g, output: o } = s.attrs;
  const { groups, width, lines, step } = rows;
  const record = b.record([
    groups,
    width,
    x.size,
    x.zp,
    s.facts.fraction!,
    Number(eps & 0xffffffffn),
    Number(eps >> 32n),
    b.at(gamma),
    b.at(beta),
    g,
    o.zp,
    o.lo,
    o.hi,
    y.size,
    lines,
    step,
    rms,
  ]);
  const name = `${kernel}_i${x.size * 8}`;
  const blocks = floorDiv(x.count, lines * step);
  if (kernel === 'layer_norm' && x.size === 1)
    return prepared(`${name}_rows`, 'layerNorm8', blocks, record, b.at(x), b.at(y));
  if (width >= 8 || groups === 1) return prepared(name, 'norm', blocks * groups, record, b.at(x), b.at(y));
  b.scratch(BLOCK);
  return prepared(`${name}_blocks`, 'normBlocks', blocks * ((groups + 7) >>> 3), record, b.at(x), b.at(y));
}

function lastAxis(kernel: string, rms: boolean) {
  return (s: Site<'layer_norm'> | Site<'rms_norm'>, b: Builder): Prepared => {
    const { shape } = s.in[0]!;
    const n = shape[shape.length - 1]!;
    return normed(kernel, s, b, { groups: 1, width: n, lines: 1, step: n }, rms);
  };
}

/** layer_norm: 64-bit row facts, then elements eight at a time. */
export const layer_norm: (s: Site<'layer_norm'>, b: Builder) => Prepared = /* @__PURE__ */ lastAxis(
  'layer_norm',
  false,
);
/** rms_norm: the same without a mean. */
export const rms_norm: (s: Site<'rms_norm'>, b: Builder) => Prepared = /* @__PURE__ */ lastAxis('rms_norm', true);

/** group_norm: rows of lines; groups of fewer than 8 channels eight at a time, their facts in lanes. */
export function group_norm(s: Site<'group_norm'>, b: Builder): Prepared {
  const [, h, w, channels] = s.in[0]!.shape as readonly [number, number, number, number];
  const { groups } = s.attrs;
  return normed('group_norm', s, b, { groups, width: floorDiv(channels, groups), lines: h * w, step: channels }, false);
}
