/** The fare network as an integer model, and the rides of its test set. */
import { readFileSync } from 'node:fs';
import { readNpy } from '../../src/cli/npy.ts';
import { encodeModel } from '../../src/format.ts';
import { loadModel, type Model } from '../../src/index.ts';
import { convertOnnx, dequantizeOutput, quantizeInput } from '../../src/quant.ts';

/** What the network divides features by: kilometres, minutes, people waiting, free cars, sine and cosine of the hour. */
const SCALE = [30, 90, 60, 40, 1, 1];

/** A ride of the test set, what was paid for it, and the float network's price. */
export interface Trip {
  readonly features: readonly number[];
  readonly paid: number;
  readonly float: number;
}

function file(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, import.meta.url)));
}

/** ride i16 [1,6] → price i16 [1,1]. */
export function readModel(): Model {
  return loadModel(encodeModel(convertOnnx(file('model.onnx'), { samples: readNpy(file('calib.npy')) }).graph));
}

/** The rides of the test set. */
export function trips(): readonly Trip[] {
  const { data, shape } = readNpy(file('test.npy'));
  const float = readNpy(file('float_outputs.npy')).data;
  return Array.from({ length: shape[0]! }, (_, i) => {
    const row = Array.from(data.subarray(i * 7, i * 7 + 7));
    return { features: row.slice(0, 6), paid: row[6]!, float: float[i]! };
  });
}

/** The integers of a ride: what both parties and the chain compute from. */
export function rideOf(model: Model, features: readonly number[]): Int16Array {
  const scaled = features.map((v, i) => v / SCALE[i]!);
  return Int16Array.from(quantizeInput(model.inputs[0]!, scaled).data);
}

/** The price of an output. */
export function priceOf(model: Model, raw: number): number {
  const [output] = model.outputs;
  const { dtype, zp } = model.tensors[output!.tensor]!;
  return dequantizeOutput(output!, { dtype, shape: [1, 1], data: Int16Array.of(raw) } as never, zp)[0]!;
}
