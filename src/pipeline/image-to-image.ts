/**
 * Image to image: a picture in, a larger one out. The model gets the brightness; colours are enlarged without it.
 * @module
 */
import type { Model } from '../graph/ir.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { channelsOf, luma, type Picture, pictureInput, pixels, resizePicture } from './picture.ts';
import { only, type Pipeline, realValues, task } from './run.ts';

function byte(v: number): number {
  return Math.min(255, Math.max(0, Math.floor(v + 0.5)));
}

/** The task over a model of grey pictures, values of the output from 0 to 1. A picture of another size than the model's is fitted to it. */
export function imageToImage(model: Model, session: SessionOptions): Promise<Pipeline<Picture, object, Picture>> {
  const input = only(model.inputs, 'input', 'image-to-image');
  const output = only(model.outputs, 'output', 'image-to-image');
  const { width, height, channels } = pictureInput(input, 'image-to-image');
  const [, high, wide, last] = model.tensors[output.tensor]!.shape;
  if (channels !== 1 || last !== 1 || typeof high !== 'number' || typeof wide !== 'number')
    throw new TypeError('image-to-image takes a model of grey pictures in and out');
  return task('image-to-image', model, session, async (runs, given) => {
    const picture = resizePicture(given, width, height);
    const outputs = await runs.run({ [input.name]: pixels(picture, 1, false) });
    const light = Uint8Array.from(realValues(model, output, outputs), (v) => byte(255 * v));
    const own = channelsOf(picture);
    if (own === 1) return { width: wide, height: high, data: light };
    const { data } = resizePicture(picture, wide, high);
    const out = new Uint8ClampedArray(data);
    for (let i = 0; i < light.length; i++) {
      const [r, g, b] = [data[i * own]!, data[i * own + 1]!, data[i * own + 2]!];
      const change = light[i]! - luma(r, g, b); // the same for all three: the differences of colour stay
      out.set([r + change, g + change, b + change], i * own);
    }
    return { width: wide, height: high, data: out };
  });
}
