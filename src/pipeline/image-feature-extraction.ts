/**
 * Features of a picture: one vector, to be compared with others.
 * @module
 */
import type { Model } from '../graph/ir.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { type Picture, pictureInput, pixels, resizePicture } from './picture.ts';
import { only, type Pipeline, realValues, task } from './run.ts';

/** The task over a model of one picture and one output. */
export function imageFeatures(model: Model, session: SessionOptions): Promise<Pipeline<Picture, object, Float64Array>> {
  const input = only(model.inputs, 'input', 'image-feature-extraction');
  const output = only(model.outputs, 'output', 'image-feature-extraction');
  const { width, height, channels } = pictureInput(input, 'image-feature-extraction');
  return task('image-feature-extraction', model, session, async (runs, picture) => {
    const outputs = await runs.run({ [input.name]: pixels(resizePicture(picture, width, height), channels, false) });
    return realValues(model, output, outputs);
  });
}
