/**
 * Image classification: a picture in, labels with scores out.
 * @module
 */
import type { Model } from '../graph/ir.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { isSoftmax, type Label, ranked, softmax } from './labels.ts';
import { type Picture, pictureInput, pixels, resizePicture } from './picture.ts';
import { only, type Pipeline, realValues, task } from './run.ts';

/** `top_k`: how many labels; 5 by default. */
export interface ClassificationOptions {
  readonly top_k?: number | undefined;
}

/** The task over a model of one picture and one row of scores. Scores are shares of one: a softmax of logits. */
export function imageClassification(
  model: Model,
  session: SessionOptions,
  labels: readonly string[] | undefined,
): Promise<Pipeline<Picture, ClassificationOptions, Label[]>> {
  const input = only(model.inputs, 'input', 'image-classification');
  const output = only(model.outputs, 'output', 'image-classification');
  const { width, height, channels } = pictureInput(input, 'image-classification');
  return task('image-classification', model, session, async (runs, picture, options) => {
    const outputs = await runs.run({ [input.name]: pixels(resizePicture(picture, width, height), channels, false) });
    const values = realValues(model, output, outputs);
    const scores = isSoftmax(model, output) ? values : softmax(values);
    return ranked(outputs[output.name]!.data, scores, labels, options?.top_k ?? 5);
  });
}
