/**
 * `samebit/pipeline`: a task in one call, pictures or text in and answers out, each with the digest and gas of its runs
 * (docs/pipeline.md). What happens before and after a run is outside consensus, and the same on every engine all the same.
 * @module
 */
export type { Box, Detector } from './pipeline/boxes.ts';
export type { Label } from './pipeline/labels.ts';
export type { Detected, DetectionOptions } from './pipeline/object-detection.ts';
export { type Picture, resizePicture } from './pipeline/picture.ts';
export { type PipelineOptions, type Pipelines, pipeline, TASKS, type Task } from './pipeline/pipeline.ts';
export type { Answer, Pipeline, PipelineSource } from './pipeline/run.ts';
export type { Generated, GenerationOptions, Tokenizer } from './pipeline/text-generation.ts';
