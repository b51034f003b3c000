/**
 * Calibration samples: arrays whose first axis is the sample, in the source model's own layout, turned into the graph's
 * layout and real values.
 * @module
 */
import { ImportError } from '../onnx/errors.ts';
import { type FloatGraph, type FloatInput, sizeOf, sourceShape } from './float-graph.ts';

/** An array of samples as an .npy file holds it, row-major. */
export interface SampleTensor {
  readonly dtype: 'u8' | 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64' | 'bool';
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** For each element of the graph's input its offset in a sample of the source's layout; null where both agree. */
export function sourceOrder(graph: FloatGraph, input: FloatInput): Int32Array | null {
  const stored = graph.tensors[input.tensor]!.shape;
  const source = sourceShape(graph, input);
  const strides = new Array<number>(stored.length);
  for (let i = source.length - 1, n = 1; i >= 0; n *= source[i--]!) strides[input.perm[i]!] = n;
  const order = new Int32Array(sizeOf(stored));
  const index = new Int32Array(stored.length);
  let plain = true;
  for (let i = 0, at = 0; i < order.length; i++) {
    order[i] = at;
    if (at !== i) plain = false;
    for (let axis = stored.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < stored[axis]!) break;
      at -= stored[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return plain ? null : order;
}

/** Turns a sample's values into the graph's reals: v·scale + shift, one entry or one a channel (the graph's last axis). */
export interface SampleTransform {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Samples of one input, read one at a time into a buffer in the graph's layout. */
export interface SampleReader {
  readonly count: number;
  /** Shape of a sample in the graph's layout. */
  readonly shape: readonly number[];
  /** Sample i; the buffer is reused. */
  read(i: number): Float64Array;
}

/**
 * Reads samples of `input`. A sample holds as many elements as the input, or as one of its batch; then consecutive samples
 * make a batch and a last incomplete one is left out.
 * Throws `ImportError` BadSamples on another size and on values that are not finite.
 */
export function sampleReader(
  graph: FloatGraph,
  input: FloatInput,
  samples: SampleTensor,
  transform?: SampleTransform,
): SampleReader {
  const stored = graph.tensors[input.tensor]!.shape;
  const size = sizeOf(stored);
  const each = sizeOf(samples.shape.slice(1));
  const batch = each > 0 && each * (stored[0] ?? 1) === size ? (stored[0] ?? 1) : 1;
  const count = Math.floor((samples.shape[0] ?? 0) / batch);
  if (count === 0 || each * batch !== size || samples.data.length < count * size)
    throw new ImportError('BadSamples', `the samples do not fit input "${input.name}"`, {
      expected: `[samples, ${sourceShape(graph, input).slice(1).join(', ')}]`,
      actual: `[${samples.shape.join(', ')}]`,
    });
  const order = sourceOrder(graph, input);
  const buffer = new Float64Array(size);
  const { scale, shift } = transform ?? { scale: Float64Array.of(1), shift: Float64Array.of(0) };
  return {
    count,
    shape: stored,
    read(i) {
      for (let e = 0; e < size; e++) {
        const v = samples.data[i * size + (order ? order[e]! : e)]!;
        if (!Number.isFinite(v))
          throw new ImportError('BadSamples', `sample ${i} of input "${input.name}" holds NaN or infinity`);
        buffer[e] = v * scale[e % scale.length]! + shift[e % shift.length]!;
      }
      return buffer;
    },
  };
}
