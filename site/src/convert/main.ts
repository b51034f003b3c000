/**
 * Convert: an ONNX file and samples become an integer model, in a worker that can be stopped.
 * @module
 */
import { proxy } from 'comlink';
import { byId, el, say } from '../shell/dom.ts';
import { dropZone } from '../shell/drop.ts';
import { errorBox } from '../shell/error.ts';
import { bytes } from '../shell/format.ts';
import { start } from '../shell/layout.ts';
import { progressBar } from '../shell/progress.ts';
import { type Hand, hand } from '../shell/worker.ts';
import { hostedFiles, type Sample } from './examples.ts';
import { bytesOf, type Gathered, gather, NOTHING } from './files.ts';
import { commandOf, optionsOf, type Typed } from './form.ts';
import { resultView } from './result.ts';
import type { Converter } from './worker.ts';

start();

const form = byId<HTMLFormElement>('form');
const [convert, cancel] = [byId<HTMLButtonElement>('convert'), byId<HTMLButtonElement>('cancel')];
const progress = progressBar('Conversion');
let files: Gathered = NOTHING;
let worker: Hand<Converter> | undefined;

function typed(): Typed {
  return Object.fromEntries(new FormData(form)) as unknown as Typed;
}

function show(): void {
  const facts: HTMLElement[] = [];
  const line = (what: string, list: readonly { name: string; bytes: Uint8Array }[]): void => {
    for (const f of list) facts.push(el('dt', {}, what), el('dd', {}, `${f.name}, ${bytes(f.bytes.length)}`));
  };
  line('Model', files.model ? [files.model] : []);
  const some = files.samples.length + files.beside.length > 0 || files.labels !== undefined;
  if (files.model === undefined && some)
    facts.push(el('dt', {}, 'Model'), el('dd', {}, 'none yet: a file whose name ends in .onnx'));
  line('Samples', files.samples);
  line('Labels', files.labels ? [files.labels] : []);
  line('Beside', files.beside);
  byId('files').replaceChildren(facts.length > 0 ? el('dl', { class: 'facts' }, ...facts) : '');
  byId('command').textContent = commandOf(files, typed());
  convert.disabled = files.model === undefined || worker !== undefined;
}

function fail(e: unknown): void {
  byId('result').replaceChildren(errorBox(e));
}

async function take(list: readonly File[]): Promise<void> {
  try {
    const read = await Promise.all(list.map(async (f) => ({ name: f.name, bytes: await bytesOf(f) })));
    if (read.some((f) => /\.onnx$/i.test(f.name))) files = NOTHING;
    files = gather(files, read);
    byId('result').replaceChildren();
  } catch (e) {
    fail(e);
  }
  show();
}

async function example(which: Sample): Promise<void> {
  try {
    const { files: list, fields } = await hostedFiles(which);
    files = gather(NOTHING, list);
    form.reset();
    for (const [name, value] of Object.entries(fields))
      (form.elements.namedItem(name) as HTMLInputElement).value = value;
    byId('result').replaceChildren();
    say('The example is ready to convert');
  } catch (e) {
    fail(e);
  }
  show();
}

/** Ends the work at hand, if any. */
function stop(line?: string): void {
  worker?.end();
  worker = undefined;
  cancel.hidden = true;
  progress.end(line);
  show();
}

async function run(): Promise<void> {
  if (worker !== undefined) return;
  let own: Hand<Converter> | undefined;
  try {
    const options = optionsOf(typed());
    byId('result').replaceChildren();
    own = hand<Converter>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'convert' }));
    worker = own;
    cancel.hidden = false;
    convert.disabled = true;
    progress.set('Starting');
    const hear = proxy((stage: string, done?: number, of?: number) => {
      if (worker === own) progress.set(of === undefined ? stage : `${stage}: ${done} of ${of}`, done, of);
    });
    const made = await own.until(own.api.convert(files, options, hear));
    stop();
    if ('family' in made) return fail(made);
    byId('result').replaceChildren(...resultView(made));
    say('The conversion is done');
  } catch (e) {
    if (worker !== own) return; // stopped meanwhile
    stop();
    fail(e);
  }
}

byId('drop').replaceWith(
  dropZone({
    label: 'Drop an ONNX file and samples (.npy)',
    hint: 'Several inputs: one file each, named like the input. Labels: labels.npy. Weights beside the model: their files, too.',
    multiple: true,
    onFiles: take,
  }),
);
byId('progress').replaceWith(progress.element);
byId('digits').addEventListener('click', () => example('digits'));
byId('credit').addEventListener('click', () => example('credit'));
form.addEventListener('input', show);
form.addEventListener('submit', (e) => e.preventDefault());
convert.addEventListener('click', run);
cancel.addEventListener('click', () => {
  stop('Stopped.');
  say('Stopped');
  convert.focus();
});
show();
