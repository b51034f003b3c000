/**
 * Object detection: a picture in, boxes with scores out, for the detectors whose heads boxes.ts knows.
 * @module
 */
import type { Model } from '../graph/ir.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { detectorOf } from './boxes.ts';
import { type Picture, pictureInput, pixels, resizePicture } from './picture.ts';
import { only, type Pipeline, realValues, task } from './run.ts';

/** Least score of a box; that of the detector by default. `percentage`: boxes in shares of the picture, else in its pixels. */
export interface DetectionOptions {
  readonly threshold?: number | undefined;
  readonly percentage?: boolean | undefined;
}

/** A thing in a picture; `marks`: its landmarks where the detector has some (eyes, nose, corners of the mouth). */
export interface Detected {
  readonly label: string;
  readonly score: number;
  readonly box: { readonly xmin: number; readonly ymin: number; readonly xmax: number; readonly ymax: number };
  readonly marks?: readonly (readonly [x: number, y: number])[] | undefined;
}

/** The task over a face detector: RFB, slim (`scores`, `boxes`) or YuNet (`cls_8` …). The picture is stretched to the model's size. */
export function objectDetection(
  model: Model,
  session: SessionOptions,
  labels: readonly string[] | undefined,
): Promise<Pipeline<Picture, DetectionOptions, Detected[]>> {
  const input = only(model.inputs, 'input', 'object-detection');
  const { width, height, channels } = pictureInput(input, 'object-detection');
  const heads = model.outputs.map((o) => ({
    name: o.name,
    shape: model.tensors[o.tensor]!.shape as readonly number[],
  }));
  const detector = detectorOf(heads, width, height);
  if (detector === undefined)
    throw new TypeError(`object-detection knows no detector with the outputs ${heads.map((h) => h.name)}`);
  return task('object-detection', model, session, async (runs, picture, options) => {
    const bytes = pixels(resizePicture(picture, width, height), channels, detector.bgr);
    const outputs = await runs.run({ [input.name]: bytes });
    const values = new Map(model.outputs.map((o) => [o.name, realValues(model, o, outputs)]));
    const found = detector.boxes(values, options?.threshold ?? detector.score);
    const [x, y] = options?.percentage ? [1, 1] : [picture.width, picture.height];
    return found.map(({ box: [left, top, right, bottom], score, marks }) => ({
      label: labels?.[0] ?? 'face',
      score,
      box: { xmin: left * x, ymin: top * y, xmax: right * x, ymax: bottom * y },
      ...(marks && { marks: marks.map(([u, v]) => [u * x, v * y] as const) }),
    }));
  });
}
