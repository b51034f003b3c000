/**
 * Exact products of integer matrices in 32-bit floats by gpu.js: chunks whose sums stay within 2^24, each split into a high
 * and a low limb of 12 bits, so that no float ever holds more than an exact integer (spec/30-execution.md §3).
 * @module
 */
import { HostError } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';

/** As much of gpu.js as is used: its class, and `input`, which gives an array a size. */
export interface GpuJsLibrary {
  readonly GPU: new (settings: { mode: string }) => GpuJsInstance;
  /** An input of a kernel: values of a size, innermost first. */
  input(value: Float32Array, size: readonly number[]): unknown;
}

/** An instance of the class `GPU`. */
export interface GpuJsInstance {
  readonly mode: string;
  /** A kernel from its source. */
  createKernel(source: string, settings: Record<string, unknown>): GpuJsKernel;
}

/** A kernel with an output [n, m] of pairs: m rows of n. */
type Pairs = readonly (readonly ArrayLike<number>[])[];
/** A kernel of gpu.js. */
export interface GpuJsKernel {
  /** Runs it on two inputs. */
  (a: unknown, b: unknown): Pairs | Promise<Pairs>;
  /** Frees it. */
  destroy(): void;
}

/** Greatest integer up to which every integer is a float. */
const EXACT = 2 ** 24;
/** Greatest magnitude of an element: gpu.js leaves the precision of its textures to the driver, and some read 16-bit floats. */
export const MOST_REACH = 2047;
/** Most products in a chunk, and most chunks in a sum: the sums of the limbs, below 2^12 each, stay within 2^24. */
const MOST_PRODUCTS = 1024;
const MOST_CHUNKS = 4096;
/** Fewest products that are worth a chunk. */
const LEAST_PRODUCTS = 64;
/** Most elements of an operand of one call, and most products that a call makes. */
const MOST_ELEMENTS = 2 ** 20;
const MOST_COLUMNS = 2 ** 22;
const MOST_WORK = 2 ** 26;
/** Most rows and columns of an output, which becomes a texture: what WebGL2 has everywhere. */
const MOST_SIDE = 2048;

/** Sums of chunks as limbs; multiplied by 2^−12, never divided. */
const SOURCE = `function (a, b) {
  let lo = 0;
  let hi = 0;
  for (let c = 0; c < this.constants.chunks; c++) {
    let s = 0;
    for (let k = 0; k < this.constants.chunk; k++) {
      s += a[this.thread.y][c * this.constants.chunk + k] * b[this.thread.x][c * this.constants.chunk + k];
    }
    const h = Math.floor(s * 0.000244140625);
    hi += h;
    lo += s - h * 4096;
  }
  return [lo, hi];
}`;

/** A product of [m, k] and [n, k] with rows of `length` = chunks·chunk ≥ k, at most `rows` of them a call. */
export interface Shape {
  readonly k: number;
  readonly n: number;
  readonly chunks: number;
  readonly chunk: number;
  readonly length: number;
  readonly rows: number;
}

/**
 * The shape of a product of m rows; undefined where floats cannot be exact or a call would be too large.
 * @param reachA greatest |a| of raw elements, `reachB` of the other side
 */
export function shapeOf(m: number, k: number, n: number, reachA: number, reachB: number): Shape | undefined {
  const most = Math.min(MOST_PRODUCTS, floorDiv(EXACT, Math.max(1, reachA * reachB)));
  if (m === 0 || n === 0 || k === 0 || most < LEAST_PRODUCTS || Math.max(reachA, reachB) > MOST_REACH) return undefined;
  const chunks = floorDiv(k + most - 1, most);
  const chunk = floorDiv(k + chunks - 1, chunks);
  const length = chunks * chunk;
  const rows = Math.min(m, MOST_SIDE, floorDiv(MOST_ELEMENTS, length), floorDiv(MOST_WORK, length * n));
  if (chunks > MOST_CHUNKS || n > MOST_SIDE || length * n > MOST_COLUMNS || rows < 1) return undefined;
  // some drivers draw nothing into a target of one pixel
  return { k, n, chunks, chunk, length, rows: n === 1 ? Math.max(rows, 2) : rows };
}

/** One shape of product on one instance. */
export class Gemm {
  readonly shape: Shape;
  readonly #input: GpuJsLibrary['input'];
  readonly #kernel: GpuJsKernel;

  constructor(gpu: GpuJsInstance, input: GpuJsLibrary['input'], shape: Shape) {
    const { chunks, chunk, rows, n } = shape;
    this.shape = shape;
    this.#input = input;
    this.#kernel = gpu.createKernel(SOURCE, {
      output: [n, rows],
      precision: 'single',
      tactic: 'precision',
      optimizeFloatMemory: false,
      loopMaxIterations: Math.max(chunks, chunk) + 1,
      constants: { chunks, chunk },
    });
  }

  /**
   * The sums, mod 2^32, of rows [rows, length] times columns [n, length].
   * @throws HostError where gpu.js fails
   */
  async sums(rows: Float32Array, columns: Float32Array): Promise<Int32Array> {
    const { n, length, rows: m } = this.shape;
    const out = new Int32Array(m * n);
    try {
      const pairs = await this.#kernel(this.#input(rows, [length, m]), this.#input(columns, [length, n]));
      for (let i = 0; i < m; i++) {
        const row = pairs[i]!;
        for (let j = 0; j < n; j++) out[i * n + j] = Math.imul(row[j]![1]!, 4096) + row[j]![0]!;
      }
    } catch (e) {
      throw new HostError('DeviceFailed', `gpu.js: ${String((e as Error)?.message ?? e)}`);
    }
    return out;
  }

  /** Frees the kernel. */
  dispose(): void {
    this.#kernel.destroy();
  }
}
