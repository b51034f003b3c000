/** Pictures in, faces out, faces compared: everything by integers. */
import { readFileSync } from 'node:fs';
import { decode } from 'fast-png';
import { loadModel, type Model, type Session } from '../../src/index.ts';

/** Pixels of a scene, and of the side of a face. */
export const WIDTH = 160;
export const HEIGHT = 120;
export const CROP = 48;
/** Side of the detector's input: a scene at twice its size, zeros below. */
const INPUT = 320;
/** Marks are in sixteenths of a pixel of a scene. */
const FINE = 16;
const folder = new URL('.', import.meta.url);

function read(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

/** A model of this folder: the detector (YuNet) or the recogniser. */
export function model(name: 'yunet' | 'recogniser'): Model {
  return loadModel(read(`${name}.sbm`));
}

/** What training wrote of the held-out faces. */
export interface Stated {
  readonly people: readonly number[];
  readonly detected: readonly [found: number, of: number];
  readonly errorRate: number;
  readonly threshold: number;
}

/** What training wrote of the held-out faces. */
export function stated(): Stated {
  return JSON.parse(new TextDecoder().decode(read('float.json'))) as Stated;
}

/** Rectangles of a grey PNG, row by row. */
function cells(name: string, width: number, height: number): Uint8Array[] {
  const sheet = decode(read(name), { checkCrc: true });
  if (sheet.channels !== 1 || sheet.depth !== 8) throw new RangeError(`${name} is not grey of 8 bits`);
  const out: Uint8Array[] = [];
  for (let y = 0; y + height <= sheet.height; y += height)
    for (let x = 0; x + width <= sheet.width; x += width) {
      const cell = new Uint8Array(width * height);
      for (let row = 0; row < height; row++)
        cell.set((sheet.data as Uint8Array).subarray((y + row) * sheet.width + x).subarray(0, width), row * width);
      out.push(cell);
    }
  return out;
}

/** Held-out faces as the float detector found them, one for each entry of `stated().people`. */
export function heldOut(): Uint8Array[] {
  return cells('held-out.png', CROP, CROP).slice(0, stated().people.length);
}

/** Scenes of the story: three of each of six held-out people. */
export function scenes(): Uint8Array[] {
  return cells('scenes.png', WIDTH, HEIGHT);
}

/** A square of a scene around a face, in pixels. */
export interface Square {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** Least product of the two scores (i16, 15 bits of fraction each) of a face: a quarter. */
const SURE = 2 ** 28;

/**
 * The surest face of a scene; undefined where there is none. Its square is three times the way from the eyes to the mouth, its middle
 * between them.
 */
export async function detect(session: Session, scene: Uint8Array): Promise<Square | undefined> {
  const input = new Uint8Array(INPUT * INPUT * 3);
  for (let y = 0; y < 2 * HEIGHT; y++)
    for (let x = 0; x < INPUT; x++)
      input.fill(scene[(y >> 1) * WIDTH + (x >> 1)]!, (y * INPUT + x) * 3, (y * INPUT + x + 1) * 3);
  const { outputs } = await session.run({ input });
  let best = SURE - 1;
  let marks: number[] | undefined;
  for (const stride of [8, 16, 32]) {
    const [sure, there, points] = ['cls', 'obj', 'kps'].map((n) => outputs[`${n}_${stride}`]!.data as Int16Array);
    const { mantissa, exponent } = session.model.outputs.find((o) => o.name === `kps_${stride}`)!.scale!;
    for (let cell = 0; cell < sure!.length; cell++) {
      const product = sure![cell]! * there![cell]!;
      if (product <= best) continue;
      best = product;
      const [column, row] = [cell % (INPUT / stride), Math.floor(cell / (INPUT / stride))];
      // A mark is (place + q·scale)·stride in the input, and half of that in the scene.
      const unit = BigInt((stride / 2) * FINE);
      marks = Array.from(points!.subarray(cell * 10, cell * 10 + 10), (q, i) =>
        Number(
          ((BigInt(q) * BigInt(mantissa) * unit) >> BigInt(-exponent)) + BigInt(i % 2 === 0 ? column : row) * unit,
        ),
      );
    }
  }
  if (marks === undefined) return;
  const [ex, ey] = [marks[0]! + marks[2]!, marks[1]! + marks[3]!];
  const [mx, my] = [marks[6]! + marks[8]!, marks[7]! + marks[9]!];
  // The sums are of two marks each: 2·16 to the pixel.
  const side = Math.max(12, Math.floor((3 * root((ex - mx) ** 2 + (ey - my) ** 2) + FINE) / (2 * FINE)));
  const corner = (sum: number): number => Math.floor((sum - 2 * FINE * side + 2 * FINE) / (4 * FINE));
  return { x: corner(ex + mx), y: corner(ey + my), side };
}

/** floor(√n) of a whole number below 2^50. */
function root(n: number): number {
  let r = 0;
  for (let step = 2 ** 24; step >= 1; step /= 2) if ((r + step) ** 2 <= n) r += step;
  return r;
}

/** A square as 48 × 48 pixels: the rounded mean of those that fall on each; the edge is repeated beyond the scene. */
export function crop(scene: Uint8Array, { x, y, side }: Square): Uint8Array {
  const low = (i: number): number => Math.floor((i * side) / CROP);
  const high = (i: number): number => Math.max(low(i) + 1, low(i + 1));
  const clamp = (v: number, size: number): number => Math.min(size - 1, Math.max(0, v));
  return Uint8Array.from({ length: CROP * CROP }, (_, at) => {
    const [i, j] = [Math.floor(at / CROP), at % CROP];
    let sum = 0;
    for (let v = y + low(i); v < y + high(i); v++)
      for (let u = x + low(j); u < x + high(j); u++) sum += scene[clamp(v, HEIGHT) * WIDTH + clamp(u, WIDTH)]!;
    const count = (high(i) - low(i)) * (high(j) - low(j));
    return Math.floor((sum + (count >> 1)) / count);
  });
}

/** The embedding of a face. */
export async function embed(session: Session, face: Uint8Array): Promise<Int16Array> {
  const { outputs } = await session.run({ face });
  return outputs['embedding']!.data as Int16Array;
}

/** Cosine of two embeddings, for statistics. */
export function cosine(a: Int16Array, b: Int16Array): number {
  const dot = (p: Int16Array, q: Int16Array): number => p.reduce((sum, v, i) => sum + v * q[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Error rates over all pairs of some faces. `falseAccepts`, `falseRejects`: at the least cosine that is accepted. */
export interface ErrorRates {
  readonly equal: number;
  readonly falseAccepts: number;
  readonly falseRejects: number;
}

/** How often two pictures of two people are taken for one, and two of one for two. `equal`: where both rates are the same. */
export function errorRates(embeddings: readonly Int16Array[], people: readonly number[], least: number): ErrorRates {
  const pairs: (readonly [cosine: number, same: boolean])[] = [];
  for (let i = 0; i < people.length; i++)
    for (let j = 0; j < i; j++) pairs.push([cosine(embeddings[i]!, embeddings[j]!), people[i] === people[j]]);
  pairs.sort((a, b) => b[0] - a[0]);
  const same = pairs.filter((p) => p[1]).length;
  let [accepted, kept, best, equal] = [0, 0, 2, 1];
  let [falseAccepts, falseRejects] = [0, 1];
  for (const [close, genuine] of pairs) {
    if (genuine) kept++;
    else accepted++;
    const [far, frr] = [accepted / (pairs.length - same), 1 - kept / same];
    if (close >= least) [falseAccepts, falseRejects] = [far, frr];
    if (Math.abs(far - frr) < best) [best, equal] = [Math.abs(far - frr), (far + frr) / 2];
  }
  return { equal, falseAccepts, falseRejects };
}
