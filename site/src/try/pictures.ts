/**
 * Pictures in and out of canvases.
 * @module
 */
import type { Failure } from '../shell/error.ts';

/** A source drawn into a square, whole and in the middle; where its picture lies in it. */
export function fitted(
  canvas: HTMLCanvasElement,
  source: CanvasImageSource,
  width: number,
  height: number,
  mode: 'whole' | 'filled',
): void {
  const c = canvas.getContext('2d', { willReadFrequently: true })!;
  const side = canvas.width;
  const scale = (mode === 'whole' ? Math.min : Math.max)(side / width, side / height);
  c.fillStyle = '#000';
  c.fillRect(0, 0, side, side);
  c.imageSmoothingQuality = 'high';
  c.drawImage(source, (side - width * scale) / 2, (side - height * scale) / 2, width * scale, height * scale);
}

/** A picture file. @throws Failure for what is none */
export async function pictureOf(file: Blob): Promise<ImageBitmap> {
  return createImageBitmap(file).catch(() => {
    throw {
      family: 'FileError',
      code: 'NotPicture',
      message: 'this file is no picture that the browser can read',
      next: 'Choose a PNG, JPEG or WebP file.',
    } satisfies Failure;
  });
}
