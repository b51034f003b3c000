/**
 * conv_transpose2d: a plain convolution a phase of the outputs, spread over them (spec/10-ops.md §2).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import { allocate } from '../../../core/tensor.ts';
import { staged } from '../../../ops/rules.ts';
import { type Phase, phasesOf, weightsAt } from '../../phases.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Call, type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { conv2d, im2col } from '../linear.ts';
import { copies } from '../move.ts';
import { stageWords, words } from '../pack.ts';
import { denseStrides } from '../strided.ts';

type Transposed = Site<'conv_transpose2d'>;
type Four = readonly [number, number, number, number];

/** Most phases that are products of their own. */
const PHASES = 64;

/** The convolution of one phase: its node, and whether its windows are the image itself. */
function phaseOf(s: Transposed, y: Phase, x: Phase): Site<'conv2d'> {
  const [image, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const out = s.out[0]!;
  const [n, , , o] = out.shape as Four;
  const shape = [n, y.count, x.count, o];
  const kernel = [o, y.taps.length, x.taps.length, w.shape[3]!];
  return {
    facts: s.facts,
    attrs: {
      strides: [1, 1],
      pads: [y.pad, x.pad, 0, 0],
      dilations: [y.dilation, x.dilation],
      groups: s.attrs.groups,
      ...(s.attrs.stage === undefined ? {} : { stage: s.attrs.stage }),
    },
    in: [image, { ...w, shape: kernel, data: weightsAt(w, y.taps, x.taps) }, bias],
    out: [{ ...out, shape, count: n * y.count * x.count * o }],
  };
}

/** Every pixel by itself. */
function direct(s: Transposed, b: Builder): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { strides, dilations, pads, groups, stage } = s.attrs;
  const [n, oh, ow, o] = y.shape as Four;
  const [, h, width, c] = x.shape as Four;
  const [, kh, kw, cg] = w.shape as Four;
  const shape = [oh, ow, o, h, width, c, cg, floorDiv(o, groups), kh, kw, ...strides, ...dilations, pads[0]!, pads[1]!];
  const m = stage === undefined ? 0 : words(b, o, (i) => stage.m[stage.m.length === 1 ? 0 : i]!);
  const record = b.record([...shape, x.size, x.zp, b.at(w), b.at(bias), m, ...stageWords(stage)]);
  return prepared('conv_transpose_direct', 'transposed', n * oh * ow, record, b.at(x), b.at(y));
}

/** Convolutions that the phases are made of: any, and one whose windows are gathered. */
export type Convolution = (s: Site<'conv2d'>, b: Builder, to: number) => Prepared;

/** conv_transpose2d: outputs that meet no tap, then phase by phase through one area that all share. */
export function transposedBy(s: Transposed, b: Builder, plain: Convolution, gathered: Convolution): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { strides, dilations, pads, stage } = s.attrs;
  const [sh, sw] = strides as readonly [number, number];
  const [n, oh, ow, o] = y.shape as Four;
  const [, kh, kw, cg] = w.shape as Four;
  const rows = phasesOf(kh, sh, dilations[0]!, pads[0]!, oh);
  const columns = phasesOf(kw, sw, dilations[1]!, pads[1]!, ow);
  if (rows.length * columns.length > PHASES) return direct(s, b);
  const size = y.size;
  const calls: Call[] = [];
  if (rows.length * columns.length < Math.min(sh, oh) * Math.min(sw, ow)) {
    const empty = allocate(y.dtype, o);
    for (let c = 0; c < o; c++) empty[c] = staged(bias.data![c]!, stage, c);
    const to = { at: b.at(y), strides: denseStrides(y.shape, size) };
    calls.push(
      ...copies(b, '', size, [{ dims: y.shape, from: { at: b.raw(empty), strides: [0, 0, 0, size] }, to }]).calls,
    );
  }
  const whole = sh === 1 && sw === 1 && rows.length === 1 && columns.length === 1;
  const most = rows.reduce((p, r) => Math.max(p, r.count), 0) * columns.reduce((p, c) => Math.max(p, c.count), 0);
  const area = whole ? b.at(y) : b.workspace(n * most * o * size);
  for (const row of rows) {
    for (const column of columns) {
      const site = phaseOf(s, row, column);
      const dims = site.out[0]!.shape;
      const same = dims[1] === x.shape[1] && dims[2] === x.shape[2];
      const own = (same || (cg === 1 && s.attrs.groups === o) ? plain : gathered)(site, b, area);
      calls.push(...own.calls);
      if (whole) continue;
      const to = {
        at: b.at(y) + (row.first * ow + column.first) * o * size,
        strides: [oh * ow * o, sh * ow * o, sw * o, 1].map((v) => v * size),
      };
      const from = { at: area, strides: denseStrides(dims, size) };
      calls.push(...copies(b, '', size, [{ dims, from, to }]).calls);
    }
  }
  return { kernel: `conv_transpose_i${x.size * 8}`, calls };
}

/** The same over the tile of the wasm backend. */
export const conv_transpose2d = (s: Transposed, b: Builder): Prepared => transposedBy(s, b, conv2d, im2col);
