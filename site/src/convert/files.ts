/**
 * Which of the files that were dropped is the model, and which are samples, labels, or weights beside the model.
 * @module
 */
import { LIMITS } from '../../../src/format/limits.ts';
import type { Failure } from '../shell/error.ts';

/** A file in memory. */
export interface Named {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The files of a conversion. `beside`: files that may hold the model's weights. */
export interface Gathered {
  readonly model: Named | undefined;
  readonly samples: readonly Named[];
  readonly labels: Named | undefined;
  readonly beside: readonly Named[];
}

/** No files. */
export const NOTHING: Gathered = { model: undefined, samples: [], labels: undefined, beside: [] };

/** Adds files, which must not be converted ones: a later one takes the place of an earlier one of its name or, for the model, of its kind. @throws Failure */
export function gather(before: Gathered, files: readonly Named[]): Gathered {
  let { model, samples, labels, beside } = before;
  for (const file of files) {
    if (/\.sbm$/i.test(file.name))
      throw {
        family: 'UsageError',
        code: 'BadArgument',
        message: `${file.name} is a converted model`,
        next: 'Look at it on the page Inspect, or drop the ONNX file that it was made from.',
      } satisfies Failure;
    const kind = kindOf(file.name);
    const without = (list: readonly Named[]): readonly Named[] => list.filter((f) => f.name !== file.name);
    if (kind === 'model') model = file;
    else if (kind === 'labels') labels = file;
    else if (kind === 'samples') samples = [...without(samples), file];
    else beside = [...without(beside), file];
  }
  return { model, samples, labels, beside };
}

function kindOf(name: string): 'model' | 'samples' | 'labels' | 'beside' {
  if (/\.onnx$/i.test(name)) return 'model';
  if (!/\.npy$/i.test(name)) return 'beside';
  return /^labels?\b/i.test(name) ? 'labels' : 'samples';
}

/** The bytes of a file. @throws Failure for one that no library call would take */
export async function bytesOf(file: File): Promise<Uint8Array> {
  if (file.size >= LIMITS.fileBytes)
    throw {
      family: 'UsageError',
      code: 'TooLarge',
      message: `${file.name} has ${file.size} bytes`,
      next: `Files of less than ${LIMITS.fileBytes} bytes are read.`,
    } satisfies Failure;
  return new Uint8Array(await file.arrayBuffer());
}

/** Fetches a file of the site. */
export async function fetched(name: string, url: string): Promise<Named> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${name}: the server answers ${answer.status}`);
  return { name, bytes: new Uint8Array(await answer.arrayBuffer()) };
}
