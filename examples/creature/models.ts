/** The two networks of a creature as integer models whose genes lie within ±MOST. */
import { readFileSync } from 'node:fs';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel, type Graph } from '../../src/format.ts';
import { loadModel, type Model } from '../../src/index.ts';
import { convertOnnx } from '../../src/quant.ts';

/** Greatest gene. */
export const MOST = 96;

/** Genes of a creature: of its face [12], and of the layers of its mind [16,16] and [16,14]. */
export interface Genome {
  readonly looks: Int8Array;
  readonly genes1: Int8Array;
  readonly genes2: Int8Array;
}

function file(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, import.meta.url)));
}

/** The model with its genes declared within ±MOST: what it proves holds for those, and it refuses others. */
function bounded(graph: Graph): Model {
  const inputs = graph.inputs.map((i) => (i.name.startsWith('genes') ? { ...i, lo: -MOST, hi: MOST } : i));
  return loadModel(encodeModel({ ...graph, inputs }));
}

/** senses i8 [1,8], state i8 [1,8], genes1, genes2 → scores i16 [1,6], next i8 [1,8]; the file names every type. */
export function mindModel(): Model {
  return bounded(convertOnnx(file('mind.onnx')).graph);
}

/** genes i8 [1,12] → pixels [1,864]: 24 rows of 12 pixels of red, green, blue, the left half of a picture. */
export function faceModel(): Model {
  const samples = readNpy(file('calib.npy'));
  return bounded(convertOnnx(file('looks.onnx'), { samples, inputType: 'i8', std: [MOST] }).graph);
}

/** The three founders by name. */
export function founders(): ReadonlyMap<string, Genome> {
  const read = JSON.parse(new TextDecoder().decode(file('founders.json'))) as Record<string, Record<string, number[]>>;
  const genes = (f: Record<string, number[]>, part: string): Int8Array => Int8Array.from(f[part]!);
  return new Map(
    Object.entries(read).map(([name, f]) => [
      name,
      { looks: genes(f, 'looks'), genes1: genes(f, 'genes1'), genes2: genes(f, 'genes2') },
    ]),
  );
}
