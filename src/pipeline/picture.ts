/**
 * Pictures of bytes: sizes and colours by integers, so that one picture becomes one input on every engine. Decoding a file is the
 * caller's: two decoders of JPEG give two pictures.
 * @module
 */
import type { InputDecl } from '../graph/ir.ts';

/** Rows of pixels, 1 (grey), 3 (RGB) or 4 (RGBA) bytes each, as many as the data are long for. An ImageData is one. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Bytes a pixel of a picture. @throws TypeError data that fill no such picture */
export function channelsOf({ width, height, data }: Picture): 1 | 3 | 4 {
  const channels = data.length / (width * height);
  if (channels !== 1 && channels !== 3 && channels !== 4)
    throw new TypeError(`${data.length} bytes are no picture of ${width} × ${height} with 1, 3 or 4 bytes a pixel`);
  return channels;
}

/** Source pixels of an output pixel on one axis, with weights; all weights of an axis have one sum. */
interface Taps {
  readonly sum: number;
  readonly at: readonly (readonly (readonly [pixel: number, weight: number])[])[];
}

/**
 * Smaller: the shares of all pixels that fall on the output pixel, in units of 1/to. Larger: the two pixels whose centres are next to
 * its centre, in units of 1/(2·to); the edge is repeated.
 */
function taps(from: number, to: number): Taps {
  const at = Array.from({ length: to }, (_, i): [number, number][] => {
    if (to < from) {
      const [begin, end] = [i * from, (i + 1) * from];
      const first = Math.floor(begin / to);
      return Array.from({ length: Math.ceil(end / to) - first }, (__, k) => {
        const p = first + k;
        return [p, Math.min(end, (p + 1) * to) - Math.max(begin, p * to)];
      });
    }
    const centre = (2 * i + 1) * from - to;
    const p = Math.floor(centre / (2 * to));
    const rest = centre - 2 * to * p;
    const inside = (v: number): number => Math.min(from - 1, Math.max(0, v));
    return [
      [inside(p), 2 * to - rest],
      [inside(p + 1), rest],
    ];
  });
  return { sum: to < from ? from : 2 * to, at };
}

/** A picture in another size: ⌊Σ weight·byte/Σ weight + ½⌋, exactly. */
export function resizePicture(picture: Picture, width: number, height: number): Picture {
  const channels = channelsOf(picture);
  if (picture.width === width && picture.height === height) return picture;
  const [columns, rows] = [taps(picture.width, width), taps(picture.height, height)];
  const across = new Float64Array(width * picture.height * channels); // sums below 2^53
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [p, weight] of columns.at[x]!) sum += weight * picture.data[(y * picture.width + p) * channels + c]!;
        across[(y * width + x) * channels + c] = sum;
      }
  const data = new Uint8Array(width * height * channels);
  const whole = columns.sum * rows.sum;
  const line = width * channels;
  for (let y = 0; y < height; y++)
    for (let i = 0; i < line; i++) {
      let sum = 0;
      for (const [p, weight] of rows.at[y]!) sum += weight * across[p * line + i]!;
      data[y * line + i] = Math.floor((2 * sum + whole) / (2 * whole));
    }
  return { width, height, data };
}

/** Brightness of a pixel: ITU-R BT.601 in thousandths, rounded. */
export function luma(r: number, g: number, b: number): number {
  return Math.floor((299 * r + 587 * g + 114 * b + 500) / 1000);
}

/** Bytes of a picture in the channels of a model: 1 (brightness) or 3, in which blue stands first under `bgr`. */
export function pixels(picture: Picture, channels: 1 | 3, bgr: boolean): Uint8Array {
  const own = channelsOf(picture);
  const count = picture.width * picture.height;
  const out = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [0, 1, 2].map((c) => picture.data[i * own + (own === 1 ? 0 : c)]!) as [number, number, number];
    if (channels === 1) out[i] = own === 1 ? r : luma(r, g, b);
    else out.set(bgr ? [b, g, r] : [r, g, b], i * 3);
  }
  return out;
}

/** Height, width and channels of a model's picture. @throws TypeError an input that takes none */
export function pictureInput(
  d: InputDecl,
  task: string,
): { readonly height: number; readonly width: number; readonly channels: 1 | 3 } {
  const [n, height, width, channels] = d.shape;
  if (!d.u8 || d.shape.length !== 4 || n !== 1 || (channels !== 1 && channels !== 3))
    throw new TypeError(
      `${task} takes a model whose input is u8 [1, height, width, 1 or 3]: samebit convert --input-type u8; this is ${d.u8 ? 'u8' : d.dtype} [${d.shape.map(String)}]`,
    );
  if (typeof height !== 'number' || typeof width !== 'number')
    throw new TypeError(`${task} takes a model of pictures of one size`);
  return { height, width, channels };
}
