/** Pictures in, scores out: the integers that stand between a file and its verdict. */
import { readFileSync } from 'node:fs';
import { decode } from 'fast-png';
import { loadModel, type Model, type Session } from '../../src/index.ts';

/** Side of a picture in pixels. */
export const SIZE = 128;
const folder = new URL('.', import.meta.url);

/** Luma of a file, one byte a pixel. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * A PNG as luma. PNG is lossless, so every decoder has the same bytes; grey ones are taken as they are, and of coloured ones it is
 * (77·R + 150·G + 29·B + 128) >> 8. Transparency is left out.
 * @throws RangeError for palettes and samples of other than 8 bits; what the decoder throws for what is no PNG
 */
export function luma(file: Uint8Array): Luma {
  const { width, height, data, depth, channels, palette } = decode(file, { checkCrc: true });
  if (depth !== 8 || palette !== undefined)
    throw new RangeError('a PNG of 8 bits a sample without a palette is needed');
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const at = i * channels;
    out[i] = channels < 3 ? data[at]! : (77 * data[at]! + 150 * data[at + 1]! + 29 * data[at + 2]! + 128) >> 8;
  }
  return { width, height, data: out };
}

/**
 * Squares of 128 pixels, row by row; a rest at the right and the lower edge is left out. They begin at multiples of eight, as blocks
 * of JPEG do.
 */
export function squares({ width, height, data }: Luma): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let y = 0; y + SIZE <= height; y += SIZE)
    for (let x = 0; x + SIZE <= width; x += SIZE) {
      const square = new Uint8Array(SIZE * SIZE);
      for (let row = 0; row < SIZE; row++)
        square.set(data.subarray((y + row) * width + x, (y + row) * width + x + SIZE), row * SIZE);
      out.push(square);
    }
  return out;
}

/** What the float network says of what is shipped. `errorLevel`: the naive baseline's scores. */
export interface Stated {
  readonly threshold: number;
  readonly authentic: readonly number[];
  readonly forged: readonly number[];
  readonly frames: readonly number[];
  readonly errorLevel: { readonly authentic: readonly number[]; readonly forged: readonly number[] };
}

/** Held-out pictures, sequences of four frames, and the float scores of both. Authentic ones are first. */
export function shipped(): { readonly pictures: Uint8Array[]; readonly frames: Uint8Array[]; readonly stated: Stated } {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));
  return {
    pictures: squares(luma(read('held-out.png'))),
    frames: squares(luma(read('sequences.png'))),
    stated: JSON.parse(new TextDecoder().decode(read('float.json'))) as Stated,
  };
}

/** The detector: an i8 model of u8 inputs whose i16 score is higher for forgeries. */
export function detector(): Model {
  return loadModel(new Uint8Array(readFileSync(new URL('model.sbm', folder))));
}

/** The least score that means a forgery: the stated float threshold in units of the output. */
export function threshold(model: Model, stated: Stated): number {
  const { mantissa, exponent } = model.outputs[0]!.scale!;
  return Math.ceil(stated.threshold / (Number(mantissa) * 2 ** exponent));
}

/** The score of a picture. */
export async function score(session: Session, picture: Uint8Array): Promise<number> {
  const { outputs } = await session.run({ picture });
  return outputs['score']!.data[0]!;
}

/** Probability that a forgery has a higher score than an authentic picture: the area under the ROC curve. */
export function auc(authentic: readonly number[], forged: readonly number[]): number {
  let wins = 0;
  for (const f of forged) for (const a of authentic) wins += f > a ? 1 : f === a ? 0.5 : 0;
  return wins / (authentic.length * forged.length);
}
