/**
 * Inspect: what a model holds, read in a worker that is given up when it takes too long.
 * @module
 */
import { bytesOf, fetched, type Named } from '../convert/files.ts';
import { byId, say } from '../shell/dom.ts';
import { dropZone } from '../shell/drop.ts';
import { errorBox, type Failure } from '../shell/error.ts';
import { start } from '../shell/layout.ts';
import { progressBar } from '../shell/progress.ts';
import { type Hand, hand } from '../shell/worker.ts';
import { modelView } from './view.ts';
import type { Inspected, Inspector } from './worker.ts';

start();

/** Milliseconds after which a file is given up. */
const PATIENCE = 60_000;

const EXAMPLES = {
  digits: ['mnist-cnn.sbm', new URL('../../../test/golden/models/mnist-cnn.sbm', import.meta.url).href],
  story: ['character-model.sbm', new URL('../../../examples/chat/model.sbm', import.meta.url).href],
  source: ['mnist.onnx', new URL('../../../examples/mnist/model.onnx', import.meta.url).href],
} as const;

const progress = progressBar('Reading');
const view = byId('view');
let worker: Hand<Inspector> | undefined;
/** The file that was chosen last; what comes of earlier ones is not shown. */
let turn = 0;

async function read(file: Named, beside: readonly Named[]): Promise<Inspected | Failure> {
  worker?.end();
  const own = hand<Inspector>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'inspect' }));
  worker = own;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Failure>((resolve) => {
    timer = setTimeout(
      () =>
        resolve({
          family: 'HostError',
          code: 'Timeout',
          message: `${file.name} takes longer than ${PATIENCE / 1000} seconds to read`,
          next: 'Look at it with samebit inspect on the command line.',
        }),
      PATIENCE,
    );
  });
  try {
    return await own.until(Promise.race([own.api.inspect(file, beside), late]));
  } finally {
    clearTimeout(timer);
    own.end();
  }
}

async function show(gather: () => Promise<readonly Named[]>): Promise<void> {
  const own = ++turn;
  const put = (...parts: readonly Node[]): void => {
    if (own !== turn) return;
    progress.end();
    view.replaceChildren(...parts);
  };
  view.replaceChildren();
  progress.set('Reading');
  try {
    const files = await gather();
    if (own !== turn) return;
    const main = files.find((f) => /\.(sbm|onnx)$/i.test(f.name)) ?? files[0]!;
    const found = await read(
      main,
      files.filter((f) => f !== main),
    );
    if ('family' in found) return put(errorBox(found));
    put(...modelView(found));
    say(`${found.name} is read`);
  } catch (e) {
    put(errorBox(e));
  }
}

byId('drop').replaceWith(
  dropZone({
    label: 'Drop a model (.sbm or .onnx)',
    hint: 'Weights beside an ONNX file: drop their files with it.',
    multiple: true,
    onFiles: (files) => show(() => Promise.all(files.map(async (f) => ({ name: f.name, bytes: await bytesOf(f) })))),
  }),
);
byId('progress').replaceWith(progress.element);
for (const [id, [name, url]] of Object.entries(EXAMPLES))
  byId(id).addEventListener('click', () => show(async () => [await fetched(name, url)]));
