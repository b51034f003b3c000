/**
 * Forms of ops that the engine has as one, of ops that are otherwise expanded into others.
 * @module
 */
import { atan, cos, sin } from '../../quant/trig.ts';
import { broadcastTo } from '../array.ts';
import type { LowerContext } from './context.ts';

/** Lowers a node where it has the form; false leaves it to its expansion. */
type Direct = (c: LowerContext) => boolean;

/** Most elements of a row of a norm. */
const MOST_IN_ROW = 65536;

/** Groups of channels of an image or signal, with constant factors. */
function grouped(c: LowerContext, groups: number): boolean {
  const shape = c.shape(0);
  const rank = shape.length;
  const [, channels, ...space] = shape as [number, number, ...number[]];
  const row = space.reduce((n, d) => n * d, channels / groups);
  const fits = (rank === 3 || rank === 4) && Number.isInteger(channels / groups) && row >= 1 && row <= MOST_IN_ROW;
  if (!fits || !c.constant(1) || !c.constant(2)) return false;
  const factor = (i: number, what: string): Float64Array => broadcastTo(c.weights(i, what), [channels]).data;
  const eps = c.float('epsilon', Math.fround(1e-5));
  const op = { kind: 'group_norm', gamma: factor(1, 'the scale'), beta: factor(2, 'the bias'), eps, groups } as const;
  const x = c.image(0);
  c.setImage(c.emit(op, [x], c.graph.stored(x)), rank);
  return true;
}

/** The angle of (c, s) in −π…π. */
function angleOf(c: number, s: number): number {
  if (Math.abs(c) < Math.abs(s)) return (s > 0 ? Math.PI / 2 : -Math.PI / 2) - atan(c / s);
  return c === 0 ? 0 : atan(s / c) + (c > 0 ? 0 : s >= 0 ? Math.PI : -Math.PI);
}

/** The frequencies that tables of cosines and sines of places 0, 1, … hold; undefined where they hold anything else. */
function frequencies(cosines: Float64Array, sines: Float64Array, rows: number, n: number): Float64Array | undefined {
  const own = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let f = angleOf(cosines[n + i]!, sines[n + i]!);
    for (let place = 2; place < rows; place *= 2) {
      const angle = angleOf(cosines[place * n + i]!, sines[place * n + i]!);
      f = (angle + 2 * Math.PI * Math.floor((place * f - angle) / (2 * Math.PI) + 0.5)) / place;
    }
    own[i] = f;
  }
  const holds = cosines.every((v, at) => {
    const angle = Math.floor(at / n) * own[at % n]!;
    return Math.abs(v - cos(angle)) < 1e-4 && Math.abs(sines[at]! - sin(angle)) < 1e-4;
  });
  return holds ? own : undefined;
}

/** RotaryEmbedding by tables of the usual form at consecutive places. */
function rotary(c: LowerContext): boolean {
  const given = c.shape(0);
  const [cosines, sines] = [c.constant(1), c.constant(2)];
  const places = c.given(3) ? c.constant(3) : undefined;
  if (!cosines || !sines || !places || cosines.shape.length !== 2) return false;
  const [rows, n] = cosines.shape as [number, number];
  const steps = places.shape.at(-1)!;
  const first = places.data[0] ?? 0;
  if (rows < 2 || !places.data.every((p, i) => p === first + (i % steps))) return false;
  const own = frequencies(cosines.data, sines.data, rows, n);
  if (!own) return false;
  const op = { kind: 'rope', frequencies: own, interleaved: c.int('interleaved', 0) !== 0, first } as const;
  if (given.length === 4) {
    const x = c.plain(0);
    c.setPlain(c.emit(op, [x], given));
    return true;
  }
  const heads = c.int('num_heads', 0);
  const [batch, time, width] = given as [number, number, number];
  if (heads < 1 || width % heads !== 0) return false;
  const x = c.graph.transpose(
    c.node,
    c.graph.reshape(c.node, c.plain(0), [batch, time, heads, width / heads]),
    [0, 2, 1, 3],
  );
  const y = c.graph.transpose(c.node, c.emit(op, [x], c.graph.stored(x)), [0, 2, 1, 3]);
  c.setPlain(c.graph.reshape(c.node, y, given));
  return true;
}

/** Direct forms by ONNX op name. */
export const DIRECT: ReadonlyMap<string, Direct> = new Map<string, Direct>([
  ['GroupNormalization', (c) => c.opset >= 21 && grouped(c, c.int('num_groups', 1))],
  ['InstanceNormalization', (c) => grouped(c, c.shape(0)[1]!)],
  ['RotaryEmbedding', rotary],
]);
