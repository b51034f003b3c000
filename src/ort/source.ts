/**
 * Where the bytes of a model come from: memory, a path, or an address.
 * @module
 */
import { ModelError } from '../core/errors.ts';
import type { Model } from '../graph/ir.ts';
import { loadModel } from '../runtime/load.ts';
import { bytesAt } from '../runtime/source.ts';
import { OrtError } from './errors.ts';

/** A model as `InferenceSession.create` takes it. */
export type Source = string | URL | ArrayBufferLike | Uint8Array;

/** True for the first bytes of an ONNX file: its IR version, then the name of its producer, a domain or the graph. */
function looksOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 8 && bytes[1]! > 2 && bytes[1]! < 64 && [0x12, 0x1a, 0x22, 0x2a, 0x3a, 0x42].includes(bytes[2]!);
}

/**
 * The model of a source.
 * @throws OrtError OnnxModel, NoSource; ModelError other bytes that are no model
 */
export async function modelFrom(source: Source): Promise<Model> {
  const bytes =
    typeof source === 'string' || source instanceof URL
      ? await bytesAt(source).catch((e: Error) => {
          throw new OrtError('NoSource', e.message);
        })
      : source instanceof Uint8Array
        ? source
        : new Uint8Array(source);
  try {
    return loadModel(bytes.slice());
  } catch (e) {
    if (e instanceof ModelError && looksOnnx(bytes))
      throw new OrtError('OnnxModel', 'these are the bytes of an ONNX file, which samebit runs only converted');
    throw e;
  }
}
