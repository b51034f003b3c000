import { lut16, stage } from '../../src/core/int.ts';
import type { Graph, Node } from '../../src/graph/ir.ts';
import type { Stage } from '../../src/ops/define.ts';

interface Value {
  readonly data: Int32Array;
  readonly shape: readonly number[];
  readonly zp: number;
}

type Attrs = Record<string, never> & {
  stage: Stage;
  shape: number[];
  strides: number[];
  pads: number[];
  kernel: number[];
  zp: number;
};

function staged(acc: number, o: number, s: Stage): number {
  return stage(acc, s.m.length === 1 ? s.m[0]! : s.m[o]!, s.l, s.zp, s.lo, s.hi);
}

function conv(x: Value, w: Value, b: Value, a: Attrs): Value {
  const [, h, wd, c] = x.shape as [number, number, number, number];
  const [o, kh, kw] = w.shape as [number, number, number];
  const oh = Math.floor((h + a.pads[0]! + a.pads[2]! - kh) / a.strides[0]!) + 1;
  const ow = Math.floor((wd + a.pads[1]! + a.pads[3]! - kw) / a.strides[1]!) + 1;
  const data = new Int32Array(oh * ow * o);
  const patch = new Int32Array(kh * kw * c);
  const k = patch.length;
  for (let p = 0; p < oh * ow; p++) {
    patch.fill(0);
    for (let t = 0; t < kh * kw; t++) {
      const iy = Math.floor(p / ow) * a.strides[0]! - a.pads[0]! + Math.floor(t / kw);
      const ix = (p % ow) * a.strides[1]! - a.pads[1]! + (t % kw);
      if (iy < 0 || iy >= h || ix < 0 || ix >= wd) continue;
      for (let i = 0; i < c; i++) patch[t * c + i] = x.data[(iy * wd + ix) * c + i]! - x.zp;
    }
    for (let ch = 0; ch < o; ch++) {
      let acc = b.data[ch]!;
      for (let i = 0; i < k; i++) acc += w.data[ch * k + i]! * patch[i]!;
      data[p * o + ch] = staged(acc, ch, a.stage);
    }
  }
  return { data, shape: [1, oh, ow, o], zp: a.stage.zp };
}

function dense(x: Value, w: Value, b: Value, a: Attrs): Value {
  const [o, k] = w.shape as [number, number];
  const data = Int32Array.from({ length: o }, (_, ch) => {
    let acc = b.data[ch]!;
    for (let i = 0; i < k; i++) acc += w.data[ch * k + i]! * (x.data[i]! - x.zp);
    return staged(acc, ch, a.stage);
  });
  return { data, shape: [1, o], zp: a.stage.zp };
}

function maxPool(x: Value, a: Attrs): Value {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [oh, ow] = [h / a.strides[0]!, w / a.strides[1]!].map(Math.floor) as [number, number];
  const data = new Int32Array(oh * ow * c).fill(-32768);
  for (let oy = 0; oy < oh; oy++)
    for (let ox = 0; ox < ow; ox++)
      for (let ky = 0; ky < a.kernel[0]!; ky++)
        for (let kx = 0; kx < a.kernel[1]!; kx++)
          for (let ch = 0; ch < c; ch++) {
            const i = (oy * ow + ox) * c + ch;
            const v = x.data[((oy * a.strides[0]! + ky) * w + ox * a.strides[1]! + kx) * c + ch]!;
            if (v > data[i]!) data[i] = v;
          }
  return { data, shape: [1, oh, ow, c], zp: x.zp };
}

function execute(node: Node, inputs: readonly Value[]): Value {
  const a = node.attrs as Attrs;
  const [x, w, b] = inputs as [Value, Value, Value];
  if (node.op === 'conv2d') return conv(x, w, b, a);
  if (node.op === 'dense') return dense(x, w, b, a);
  if (node.op === 'max_pool2d') return maxPool(x, a);
  if (node.op === 'reshape') return { ...x, shape: a.shape };
  if (node.op === 'lut8') return { data: x.data.map((v) => w.data[v + 128]!), shape: x.shape, zp: a.zp };
  const { s, output: o } = node.attrs as { s: number; output: Stage };
  if (node.op === 'lut16')
    return { data: x.data.map((v) => lut16(v, w.data, s, o.zp, o.lo, o.hi)), shape: x.shape, zp: o.zp };
  throw new Error(`no ${node.op} here`);
}

/** A runner of a one-input graph of the ops above: raw integers to the first output. A fast twin for accuracy over many samples. */
export function integerRunner(graph: Graph): (raw: ArrayLike<number>) => Int32Array {
  const constants = graph.constants.map((c): Value => ({ data: Int32Array.from(c.data), shape: c.shape, zp: c.zp }));
  const [input] = graph.inputs;
  return (raw) => {
    const values: Value[] = [
      { data: Int32Array.from(raw), shape: input!.shape as number[], zp: input!.zp },
      ...constants,
    ];
    for (const node of graph.nodes)
      values.push(
        execute(
          node,
          node.inputs.map((i) => values[i]!),
        ),
      );
    return values[graph.outputs[0]!.tensor]!.data;
  };
}
