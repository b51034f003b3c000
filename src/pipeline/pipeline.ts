/**
 * `pipeline(task, model, options)`: each task is loaded when it is asked for.
 * @module
 */
import type { Model } from '../graph/ir.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { ClassificationOptions } from './image-classification.ts';
import type { Label } from './labels.ts';
import type { Detected, DetectionOptions } from './object-detection.ts';
import type { Picture } from './picture.ts';
import { modelOf, type Pipeline, type PipelineSource } from './run.ts';
import type { Row } from './tabular.ts';
import type { Generated, GenerationOptions, Tokenizer } from './text-generation.ts';

/** Tasks, and what each gives. */
export interface Pipelines {
  readonly 'image-classification': Pipeline<Picture, ClassificationOptions, Label[]>;
  readonly 'image-feature-extraction': Pipeline<Picture, object, Float64Array>;
  readonly 'image-to-image': Pipeline<Picture, object, Picture>;
  readonly 'object-detection': Pipeline<Picture, DetectionOptions, Detected[]>;
  readonly 'tabular-classification': Pipeline<Row, object, Label[]>;
  readonly 'tabular-regression': Pipeline<Row, object, Float64Array>;
  readonly 'text-generation': Pipeline<string, GenerationOptions, Generated>;
}

/** Name of a task. */
export type Task = keyof Pipelines;

/** How a pipeline is made: options of its session; names of the classes; for texts a tokenizer, or one letter a code. */
export interface PipelineOptions extends Pick<SessionOptions, 'backend' | 'candidates' | 'threads'> {
  readonly labels?: readonly string[] | undefined;
  readonly tokenizer?: Tokenizer | string | undefined;
}

type Make = (model: Model, session: SessionOptions, options: PipelineOptions) => Promise<unknown>;

const MAKE: Readonly<Record<Task, Make>> = {
  'image-classification': async (m, s, o) =>
    (await import('./image-classification.ts')).imageClassification(m, s, o.labels),
  'image-feature-extraction': async (m, s) => (await import('./image-feature-extraction.ts')).imageFeatures(m, s),
  'image-to-image': async (m, s) => (await import('./image-to-image.ts')).imageToImage(m, s),
  'object-detection': async (m, s, o) => (await import('./object-detection.ts')).objectDetection(m, s, o.labels),
  'tabular-classification': async (m, s, o) => (await import('./tabular.ts')).tabularClassification(m, s, o.labels),
  'tabular-regression': async (m, s) => (await import('./tabular.ts')).tabularRegression(m, s),
  'text-generation': async (m, s, { tokenizer }) => {
    const { alphabetTokenizer, textGeneration } = await import('./text-generation.ts');
    if (tokenizer === undefined)
      throw new TypeError('text-generation takes a tokenizer, or the letters in order of their codes');
    return textGeneration(m, s, typeof tokenizer === 'string' ? alphabetTokenizer(tokenizer) : tokenizer);
  },
};

/** Names of the tasks. */
export const TASKS: readonly Task[] = Object.keys(MAKE) as Task[];

/**
 * A task over a model.
 * @param source a model, its bytes, or a path or an address where they lie
 * @throws TypeError an unknown task, or a model that is none of the task; ModelError, HostError as `loadModel` and `createSession`
 */
export async function pipeline<T extends Task>(
  task: T,
  source: PipelineSource,
  options: PipelineOptions = {},
): Promise<Pipelines[T]> {
  if (!Object.hasOwn(MAKE, task)) throw new TypeError(`unknown task ${task}; the tasks are ${TASKS.join(', ')}`);
  const { labels, tokenizer, ...session } = options;
  return (await MAKE[task](await modelOf(source), session, { labels, tokenizer })) as Pipelines[T];
}
