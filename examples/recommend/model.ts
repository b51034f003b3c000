/** The factorisation network as an integer model, its test listeners, and the metrics of a list of suggestions. */
import { readFileSync } from 'node:fs';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { loadModel, type Model } from '../../src/index.ts';
import { convertOnnx } from '../../src/quant.ts';

/** Tracks, and tracks of a suggestion. */
export const TRACKS = 256;
export const TOP = 10;

/** A listener of the test set: tracks that the model sees, tracks that it does not, and what the float network suggests. */
export interface Listener {
  readonly seen: Int8Array;
  readonly rest: Int8Array;
  readonly float: readonly number[];
}

function file(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, import.meta.url)));
}

/** Bits as elements of 0 and 1, the least significant of each byte first. */
function unpack(bytes: ArrayLike<number>, from: number, count: number): Int8Array {
  return Int8Array.from({ length: count }, (_, i) => (bytes[from + (i >> 3)]! >> (i & 7)) & 1);
}

/** played i8 [1,256] of 0 and 1 → tracks i32 [1,10], scores i16 [1,10]. */
export function readModel(): Model {
  const packed = readNpy(file('calib.npy'));
  const data = unpack(packed.data, 0, packed.shape[0]! * TRACKS);
  const samples = { dtype: 'i8' as const, shape: [packed.shape[0]!, TRACKS], data };
  const { graph } = convertOnnx(file('model.onnx'), { samples, inputType: 'i8' });
  return loadModel(encodeModel({ ...graph, inputs: graph.inputs.map((i) => ({ ...i, lo: 0, hi: 1 })) }));
}

/** The listeners of the test set. */
export function listeners(): readonly Listener[] {
  const { data, shape } = readNpy(file('test.npy'));
  const float = readNpy(file('float_top10.npy')).data;
  return Array.from({ length: shape[0]! }, (_, i) => ({
    seen: unpack(data, i * 64, TRACKS),
    rest: unpack(data, i * 64 + 32, TRACKS),
    float: Array.from(float.subarray(i * TOP, (i + 1) * TOP)),
  }));
}

/** Share of the held-out tracks (of ten at most) among the suggestions. */
export function recall(top: readonly number[], rest: Int8Array): number {
  const held = rest.reduce((n, v) => n + v, 0);
  return held === 0 ? 0 : top.filter((t) => rest[t] === 1).length / Math.min(TOP, held);
}

/** Normalised discounted cumulative gain of the suggestions: a hit at place i counts 1/log2(i + 2). */
export function ndcg(top: readonly number[], rest: Int8Array): number {
  const held = Math.min(
    TOP,
    rest.reduce((n, v) => n + v, 0),
  );
  const gain = (i: number): number => 1 / Math.log2(i + 2);
  const ideal = Array.from({ length: held }, (_, i) => gain(i)).reduce((a, v) => a + v, 0);
  return held === 0 ? 0 : top.reduce((a, t, i) => a + (rest[t] === 1 ? gain(i) : 0), 0) / ideal;
}
