/**
 * Tensors as ONNX Runtime has them: a type, a typed array in main memory, and dims.
 * @module
 */

/** Typed array of each type. Strings, halves and unsigned words have no place in an integer model. */
interface DataOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly bool: Uint8Array;
}

/** Element type of a tensor; `bool` is 0 or 1 a byte. */
export type TensorType = keyof DataOf;
/** Elements of a tensor. */
export type TensorData = DataOf[TensorType];

/** What is read of a tensor that is fed: those of ONNX Runtime itself will do. */
export interface TensorLike {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** Type that a typed array says by itself; a Uint8Array is uint8. */
const TYPES = new Map<unknown, TensorType>(
  (Object.entries(ARRAYS) as [TensorType, unknown][])
    .map(([type, array]): [unknown, TensorType] => [array, type])
    .reverse(),
).set(Uint8Array, 'uint8');

/** Values of a type: as they are where they are its array, else converted. */
function dataOf(type: TensorType, values: unknown): TensorData {
  const array = ARRAYS[type];
  if (array === undefined)
    throw new TypeError(`unsupported tensor type: ${type}; the types are ${Object.keys(ARRAYS)}`);
  if (values instanceof array) return values;
  if (values instanceof Uint8ClampedArray && type === 'uint8') return Uint8Array.from(values);
  if (!Array.isArray(values)) throw new TypeError(`the data of a tensor of ${type} are a ${array.name} or an array`);
  if (type === 'int64') return BigInt64Array.from(values as (number | bigint)[], BigInt);
  return (array as typeof Float32Array).from(values as number[]) as TensorData;
}

/** Type and array of values without a type. */
function inferred(values: unknown): [TensorType, TensorData] {
  if (values instanceof Uint8ClampedArray) return ['uint8', Uint8Array.from(values)];
  if (Array.isArray(values)) {
    if (typeof values[0] !== 'boolean')
      throw new TypeError('the type of a tensor follows from a typed array or from booleans');
    return ['bool', Uint8Array.from(values, Number)];
  }
  const type = TYPES.get((values as object | null)?.constructor);
  if (type === undefined) throw new TypeError('the data of a tensor are a typed array of a supported type');
  return [type, values as TensorData];
}

function countOf(dims: unknown): number {
  if (!Array.isArray(dims)) throw new TypeError('the dims of a tensor are an array of numbers');
  if (!dims.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw new RangeError(`dims are whole numbers from 0, not [${dims}]`);
  return dims.reduce((n: number, d: number) => n * d, 1);
}

/** A tensor in main memory. */
export class Tensor implements TensorLike {
  readonly type: TensorType;
  readonly dims: readonly number[];
  /** Number of elements. */
  readonly size: number;
  readonly location = 'cpu';
  #data: TensorData | undefined;

  /**
   * @param type of the elements, followed by the data; left out where the typed array says it
   * @param dims the shape; one axis by default
   * @throws TypeError data that are none of the type; RangeError bad dims; Error data that do not fill the dims
   */
  constructor(
    type: TensorType,
    data: TensorData | Uint8ClampedArray | readonly (number | bigint | boolean)[],
    dims?: readonly number[],
  );
  constructor(data: TensorData | Uint8ClampedArray | readonly boolean[], dims?: readonly number[]);
  constructor(first: unknown, second?: unknown, third?: unknown) {
    const typed = typeof first === 'string';
    const [type, data] = typed ? [first as TensorType, dataOf(first as TensorType, second)] : inferred(first);
    const dims = (typed ? third : second) ?? [data.length];
    this.size = countOf(dims);
    if (this.size !== data.length)
      throw new Error(`Tensor's size(${this.size}) does not match data length(${data.length}).`);
    this.type = type;
    this.dims = dims as readonly number[];
    this.#data = data;
  }

  /** Elements, row by row. @throws Error after `dispose` */
  get data(): TensorData {
    if (this.#data === undefined) throw new Error('The tensor is disposed.');
    return this.#data;
  }

  /** As `data`: nothing has to be fetched. */
  async getData(): Promise<TensorData> {
    return this.data;
  }

  /** The same elements in another shape. */
  reshape(dims: readonly number[]): Tensor {
    return new Tensor(this.type, this.data, dims);
  }

  /** Lets go of the data. */
  dispose(): void {
    this.#data = undefined;
  }
}
