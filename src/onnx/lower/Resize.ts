import type { ResizeCoefficients } from '../../quant/float-graph.ts';
import { nearestIndex, type ResizeAxis, type ResizeInputs, resolveResize, sourceCoordinate } from '../resize.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** p/q with q ≤ 4096 that equals v to within 2^−40 relative; undefined where there is none. */
function fraction(v: number): [p: number, q: number] | undefined {
  for (let q = 1; q <= 4096; q++) {
    const p = Math.floor(v * q + 0.5);
    if (Math.abs(p - v * q) <= Math.abs(v * q) * 2 ** -40) return [p, q];
  }
  return undefined;
}

/** Source coordinate (a·o + b)/d of a resized axis (spec/10-ops.md, "Resize"); undefined where it has no such form. */
function coefficients(transform: string, x: ResizeAxis): ResizeCoefficients | undefined {
  const exact = x.scale * x.from === x.to;
  const ratio: [number, number] | undefined = exact ? [x.from, x.to] : fraction(1 / x.scale);
  if (!ratio) return undefined;
  const [p, q] = ratio; // 1/scale
  if (transform === 'asymmetric') return { a: p, b: 0, d: q };
  if (transform === 'align_corners')
    return x.to === 1 ? { a: 0, b: 0, d: 1 } : exact ? { a: x.from - 1, b: 0, d: x.to - 1 } : undefined;
  if (transform === 'pytorch_half_pixel' && x.to === 1) return { a: 0, b: 0, d: 1 };
  return transform === 'half_pixel' || transform === 'pytorch_half_pixel'
    ? { a: 2 * p, b: p - q, d: 2 * q }
    : undefined;
}

/** Folds the rounding of a nearest mode into the coefficients: their floor is the index. */
function nearest(mode: string, { a, b, d }: ResizeCoefficients): ResizeCoefficients {
  if (mode === 'floor') return { a, b, d };
  if (mode === 'ceil') return { a, b: b + d - 1, d };
  const up = mode === 'round_prefer_ceil';
  return { a: 2 * a, b: 2 * b + d - (up ? 0 : 1), d: 2 * d };
}

/** Resize and Upsample inputs by opset. */
function inputsOf(c: LowerContext): ResizeInputs {
  const shape = c.shape(0);
  const at = (i: number, what: string): number[] | undefined => {
    const v = c.optionalInts(i, what);
    return v && v.length > 0 ? v : undefined;
  };
  if (c.node.op === 'Upsample') return { shape, scales: c.opset < 9 ? c.floats('scales') : at(1, 'the scales') };
  if (c.opset < 11) return { shape, scales: at(1, 'the scales') };
  return { shape, scales: at(2, 'the scales'), sizes: at(3, 'the sizes') };
}

/** Indices of a nearest axis computed in floats, to compare with the integer form. */
function agrees(transform: string, mode: string, x: ResizeAxis, k: ResizeCoefficients): boolean {
  const cut = (i: number): number => Math.min(Math.max(i, 0), x.from - 1);
  for (let o = 0; o < x.to; o++)
    if (cut(nearestIndex(mode, sourceCoordinate(transform, x, o))) !== cut(Math.floor((k.a * o + k.b) / k.d)))
      return false;
  return true;
}

/** Resize of at most two axes, nearest or linear. */
export const Resize: OpLowering = (c) => {
  const r = resolveResize(c, inputsOf(c));
  if (r.mode === 'cubic') return c.fail('UnsupportedForm', 'mode cubic is not supported; use linear or nearest');
  if (c.int('antialias', 0) !== 0) c.fail('UnsupportedForm', 'antialias = 1 is not supported');
  const rank = r.axes.length;
  const moved = r.axes.flatMap((a, i) => (a.from === a.to && a.scale === 1 ? [] : [i]));
  if (moved.length > 2 || rank > 4) return c.fail('UnsupportedForm', 'only two axes of at most four can be resized');
  if (c.domain(0) !== 'real' && r.mode === 'linear')
    return c.fail('UnsupportedForm', 'integer data cannot be interpolated');
  const image = rank === 4 && moved.every((a) => a >= 2);
  const pair = image
    ? [2, 3]
    : moved.length === 2
      ? moved
      : [moved[0] ?? 0, moved[0] === rank - 1 ? rank - 2 : rank - 1].sort();
  const axes = pair.map((a) => {
    const x = r.axes[a] ?? { from: 1, to: 1, scale: 1, roi: [0, 1] as const };
    const k =
      coefficients(r.transform, x) ??
      c.fail('UnsupportedForm', `coordinate mode ${r.transform} with scale ${x.scale} has no exact integer form`);
    const own = r.mode === 'nearest' ? nearest(r.nearest, k) : k;
    if (r.mode === 'nearest' && !agrees(r.transform, r.nearest, x, own))
      c.fail('UnsupportedForm', 'the nearest index depends on float rounding at this scale');
    return { k: own, to: x.to };
  });
  if (rank < 2) return c.fail('UnsupportedForm', 'resizing one axis alone is not supported');
  const rest = r.axes.map((_, i) => i).filter((i) => !pair.includes(i));
  const lead = Math.max(rank - 3, 0);
  const order = [...rest.slice(0, lead), ...pair, ...rest.slice(lead)];
  const stored = c.graph.ordered(c.node, c.unshaped(0), order);
  const own = c.graph.stored(stored);
  const four = [...(rank < 4 ? [1] : []), ...own, ...(rank < 3 ? [1] : [])];
  const x = c.graph.reshape(c.node, stored, four);
  const [y, z] = axes as [(typeof axes)[0], (typeof axes)[0]];
  const out = [four[0]!, y.to, z.to, four[3]!];
  const id = c.emit({ kind: 'resize', mode: r.mode, y: y.k, x: z.k }, [x], out);
  const shape = order.map((a) => r.axes[a]!.to);
  return c.set({ id: c.graph.reshape(c.node, id, shape), perm: r.axes.map((_, a) => order.indexOf(a)), shape: null });
};

function shuffle(kind: 'depth_to_space' | 'space_to_depth'): OpLowering {
  return (c) => {
    const block = c.int('blocksize', 1);
    const mode = c.string('mode', 'DCR');
    if (c.shape(0).length !== 4) c.fail('BadGraph', 'the input has rank 4');
    if (mode !== 'DCR' && mode !== 'CRD') return c.fail('UnsupportedForm', `mode "${mode}" is not supported`);
    const x = c.image(0);
    const [n, h, w, ch] = c.graph.stored(x) as [number, number, number, number];
    const b = block * block;
    const out = kind === 'depth_to_space' ? [n, h * block, w * block, ch / b] : [n, h / block, w / block, ch * b];
    if (!out.every(Number.isInteger)) c.fail('BadGraph', `[${c.shape(0)}] is no multiple of the block ${block}`);
    return c.setImage(c.emit({ kind, block, mode }, [x], out), 4);
  };
}

/** DepthToSpace, both modes. */
export const DepthToSpace: OpLowering = shuffle('depth_to_space');

/** SpaceToDepth. */
export const SpaceToDepth: OpLowering = shuffle('space_to_depth');
