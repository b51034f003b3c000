/**
 * Models of examples/ that one can convert at once.
 * @module
 */
import { fetched, type Named } from './files.ts';

/** Name of an example. */
export type Sample = 'digits' | 'credit';

const EXAMPLES: Readonly<
  Record<
    Sample,
    { readonly files: Readonly<Record<string, string>>; readonly fields: Readonly<Record<string, string>> }
  >
> = {
  digits: {
    files: {
      'mnist.onnx': new URL('../../../examples/mnist/model.onnx', import.meta.url).href,
      'digits.npy': new URL('../../../examples/mnist/calib.npy', import.meta.url).href,
    },
    fields: { inputType: 'u8', std: '255' },
  },
  credit: {
    files: {
      'credit.onnx': new URL('../../../examples/german-credit/model.onnx', import.meta.url).href,
      'people.npy': new URL('../../../examples/german-credit/calib.npy', import.meta.url).href,
    },
    fields: {},
  },
};

/** The files of an example and the fields of the form that it sets. */
export async function hostedFiles(
  which: Sample,
): Promise<{ readonly files: readonly Named[]; readonly fields: Readonly<Record<string, string>> }> {
  const { files, fields } = EXAMPLES[which];
  return { files: await Promise.all(Object.entries(files).map(([name, url]) => fetched(name, url))), fields };
}
