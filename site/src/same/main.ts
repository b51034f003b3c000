/**
 * Same bits? Real models on every backend of this browser, beside what Node computed when the site was built.
 * @module
 */
import type { CaseFile, Catalogue } from '../../data/types.ts';
import { bytesOf, json } from '../shell/data.ts';
import { pattern } from '../shell/digest.ts';
import { byId, el, say } from '../shell/dom.ts';
import { errorBox, type Failure } from '../shell/error.ts';
import { bytes, ms, whole } from '../shell/format.ts';
import { start } from '../shell/layout.ts';
import { progressBar } from '../shell/progress.ts';
import { BACKENDS, missing, type Name, type Ran } from '../shell/subject.ts';
import { frame } from '../shell/table.ts';
import { inputsOf } from '../shell/tensors.ts';
import { type Hand, hand } from '../shell/worker.ts';
import { contrast } from './contrast.ts';
import { engines } from './engines.ts';
import type { Api } from './worker.ts';

start();

/** A worker for one press of a button: what a run leaves on a device ends with it. */
function worker(): Hand<Api> {
  return hand<Api>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
}

/** Head of a column. */
const HEADS: Readonly<Record<Name, string>> = {
  reference: 'reference',
  wasm: 'wasm',
  'wasm:2': 'wasm, 2 threads',
  webgpu: 'WebGPU',
  webgl: 'WebGL2',
};

/** A digest in a cell: its pattern, its first characters, and a line below. */
function cell(digest: string, line: string, same?: boolean): HTMLElement {
  const mark =
    same === undefined ? null : el('span', { class: same ? 'good' : 'bad' }, same ? '✓ same' : '✗ different');
  return el(
    'div',
    { class: 'cell', 'data-digest': digest, title: digest },
    el('div', { class: 'row tight' }, pattern(digest), el('code', {}, digest.slice(0, 8))),
    el('span', { class: 'hint' }, mark, mark === null ? '' : ' · ', line),
  );
}

/** The table of models, whose cells are filled as runs end. */
function board(catalogue: Catalogue): (model: string, backend: Name) => HTMLElement {
  const cells = new Map<string, HTMLElement>();
  const rows = catalogue.models.map((m) => {
    const own = BACKENDS.map((b) => {
      const td = el('td', {}, el('span', { class: 'hint' }, '–'));
      cells.set(`${m.name} ${b}`, td);
      return td;
    });
    const by = m.reference ? 'reference and wasm' : 'wasm';
    return el(
      'tr',
      { 'data-model': m.name },
      el(
        'th',
        { scope: 'row' },
        m.title,
        el('div', { class: 'hint' }, `${m.what}; ${bytes(m.bytes)}, ${whole(BigInt(m.gas))} gas`),
      ),
      el('td', { 'data-backend': 'node' }, cell(m.digest, by)),
      ...own,
    );
  });
  const heads = ['Model and input', `Node ${catalogue.node.split('.')[0]}, at build`, ...BACKENDS.map((b) => HEADS[b])];
  const name = 'Run digests: SHA-256 over the model’s id and all outputs';
  byId('board').replaceChildren(
    frame(
      name,
      el('caption', {}, name),
      el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, ...rows),
    ),
  );
  return (model, backend) => cells.get(`${model} ${backend}`)!;
}

async function runAll(
  catalogue: Catalogue,
  at: (model: string, backend: Name) => HTMLElement,
  own: Hand<Api>,
): Promise<void> {
  const bar = progressBar('Runs');
  byId('progress').replaceChildren(bar.element);
  const verdict = byId('verdict');
  verdict.textContent = '';
  const dead = new Map<Name, string>();
  let [runs, equal, done] = [0, 0, 0];
  const used = new Set<Name>();
  const of = catalogue.models.length * BACKENDS.length;
  for (const m of catalogue.models) {
    const [sbm, file] = await Promise.all([bytesOf(`${m.name}.sbm`), json<CaseFile>(`${m.name}.json`)]);
    const inputs = inputsOf(file);
    for (const b of BACKENDS) {
      bar.set(`${m.title} on ${HEADS[b]}`, done++, of);
      const td = at(m.name, b);
      td.dataset['backend'] = b;
      const reason = dead.get(b) ?? missing(b) ?? (b === 'reference' && !m.reference ? 'too large for it' : undefined);
      if (reason !== undefined) {
        td.replaceChildren(el('span', { class: 'hint' }, reason));
        continue;
      }
      td.replaceChildren(el('span', { class: 'hint' }, 'running…'));
      const result: Ran | Failure = await own.until(own.api.run(sbm, inputs, b));
      if ('family' in result) {
        // A backend that this machine lacks gives no result; any other error would be one that no engine may give.
        const lacking = result.family === 'HostError' || /^no WebG/.test(result.message);
        if (lacking) dead.set(b, result.message);
        else runs++;
        td.replaceChildren(el('span', { class: lacking ? 'hint' : 'bad' }, result.message));
        continue;
      }
      const same = result.digest === m.digest;
      runs++;
      used.add(b);
      if (same) equal++;
      const threads = b === 'wasm:2' && result.threads < 2 ? ', on one thread' : '';
      td.replaceChildren(cell(result.digest, ms(result.ms) + threads, same));
      td.title = result.device;
    }
  }
  bar.end();
  const good = runs > 0 && equal === runs;
  const line = good
    ? `Same bits: ${runs} runs on ${used.size} backends of this browser, every digest that of Node.`
    : `${runs - equal} of ${runs} runs differ from Node. That is a bug: please report it with the row below.`;
  verdict.className = `verdict ${good ? 'good' : 'bad'}`;
  verdict.textContent = line;
  say(line);
}

async function main(): Promise<void> {
  const catalogue = await json<Catalogue>('catalogue.json');
  const at = board(catalogue);
  const run = byId<HTMLButtonElement>('run');
  run.addEventListener('click', async () => {
    run.disabled = true;
    const own = worker();
    try {
      await runAll(catalogue, at, own);
    } catch (e) {
      byId('progress').replaceChildren(errorBox(e));
    } finally {
      own.end();
      run.disabled = false;
    }
  });
  run.disabled = false;
  engines(catalogue, worker);
  contrast();
}

main().catch((e: unknown) => byId('progress').replaceChildren(errorBox(e)));
