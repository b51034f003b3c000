/**
 * Tensors of the float interpreter and walks over their elements; nothing is allocated for an element.
 * @module
 */

/** Row-major elements with their shape. */
export interface Block {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]!) out[i] = n;
  return out;
}

/** Calls `visit(i, at)` for the elements of `shape` in order, `at` = start + Σ index·strides. */
export function walk(
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (i: number, at: number) => void,
): void {
  const index = new Int32Array(shape.length);
  const total = shape.reduce((n, d) => n * d, 1);
  let at = start;
  for (let i = 0; i < total; i++) {
    visit(i, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
}

/** Strides of an operand broadcast to `y`: 0 along axes it repeats. */
export function broadcastStrides(x: Block, y: Block): number[] {
  const own = stridesOf(x.shape);
  const skip = y.shape.length - x.shape.length;
  return y.shape.map((_, axis) => (axis < skip || x.shape[axis - skip] === 1 ? 0 : own[axis - skip]!));
}

/** y[i] = x at start + Σ index·strides. */
export function take(x: Block, y: Block, strides: readonly number[], start = 0): void {
  walk(y.shape, strides, start, (i, at) => {
    y.data[i] = x.data[at]!;
  });
}

/** An operand's elements in y's shape; the operand itself where it has that many elements. */
export function spread(x: Block, y: Block): Float64Array {
  if (x.data.length === y.data.length) return x.data;
  const out = { data: new Float64Array(y.data.length), shape: y.shape };
  take(x, out, broadcastStrides(x, y));
  return out.data;
}
