/**
 * The table of all engines, and the same task in this browser: a row that can be compared and contributed.
 * @module
 */
import { proxy } from 'comlink';
import type { Row } from '../../../scripts/engines/report.ts';
import type { Bed, Task } from '../../../test/engines/bed.ts';
import { browserName, engineVersion } from '../../../test/engines/devices.ts';
import type { Catalogue } from '../../data/types.ts';
import { json } from '../shell/data.ts';
import { digestView } from '../shell/digest.ts';
import { button, byId, download, el, say } from '../shell/dom.ts';
import { errorBox } from '../shell/error.ts';
import { whole } from '../shell/format.ts';
import { progressBar } from '../shell/progress.ts';
import { BACKENDS, missing, type Name } from '../shell/subject.ts';
import { table } from '../shell/table.ts';
import type { Hand } from '../shell/worker.ts';
import type { Api } from './worker.ts';

/** Rows as the table shows them. */
function shown(caption: string, rows: readonly Row[]): HTMLElement {
  const columns = [
    { head: 'Engine' },
    { head: 'Version' },
    { head: 'Backend' },
    { head: 'Device' },
    { head: 'Runs', number: true },
    { head: 'Digest of all runs' },
    { head: 'Seconds', number: true },
  ];
  const cells = rows.map((r) => [
    r.engine,
    r.version,
    r.backend,
    r.device,
    whole(r.checks),
    digestView(r.digest, 16),
    String(r.seconds),
  ]);
  return table(caption, columns, cells);
}

/** A row as ENGINES.md has it. */
function markdown(r: Row): string {
  return `| ${r.engine} | ${r.version} | ${r.device} | ${r.backend} | ${r.checks} | \`${r.digest.slice(0, 16)}…\` | ${r.differing} | ${r.seconds} |`;
}

/** Buttons that hand rows on. */
function handing(rows: readonly Row[]): HTMLElement {
  const text = (): string => `${JSON.stringify(rows, null, 1)}\n`;
  const copy = button('Copy as Markdown', async () => {
    await navigator.clipboard.writeText(`${rows.map(markdown).join('\n')}\n`);
    say('Copied');
  });
  return el(
    'div',
    { class: 'row' },
    button('Download row.json', () => download('row.json', text(), 'application/json'), { id: 'row-json' }),
    copy,
  );
}

/** Fills the section of engines. */
export function engines({ engines: { rows, what }, whole: full }: Catalogue, worker: () => Hand<Api>): void {
  const digests = new Set(rows.map((r) => r.digest));
  const due = rows[0];
  byId('engines').textContent =
    `${what} ${rows.length} rows of ${new Set(rows.map((r) => `${r.engine} ${r.version}`)).size} engines, ${digests.size} digest.`;
  byId('engine-rows').append(shown('ENGINES.md: one digest for each engine, driver and backend', rows));
  const boxes = BACKENDS.map((name) => {
    const reason = missing(name);
    const input = el('input', {
      type: 'checkbox',
      value: name,
      disabled: reason !== undefined,
      checked: name === 'wasm',
    });
    return el('label', { class: 'row tight', title: reason }, input, name);
  });
  byId('suite-backends').append(...boxes);
  const bar = progressBar('Suite');
  byId('suite-out').append(bar.element);
  const results = el('div', { id: 'suite-rows' });
  byId('suite-out').append(results);
  const run = byId<HTMLButtonElement>('suite');
  const made: Row[] = [];
  const runSuite = async (): Promise<void> => {
    bar.set('Loading the task');
    const task = await json<Omit<Task, 'backends'>>('task.json');
    const chosen = boxes.map((b) => b.querySelector('input')!).filter((i) => i.checked);
    for (const { value } of chosen) {
      const hear = proxy((line: string, done: number, of: number) => bar.set(`${line}: ${done} of ${of}`, done, of));
      const own = worker();
      const { version, lanes, refused }: Bed = await own
        .until(own.api.suite(task, value as Name, hear))
        .finally(() => own.end());
      for (const l of lanes) {
        const { backend, device, checks, digest, differences, seconds } = l;
        const engine = `${browserName() ?? 'a browser'}, by hand`;
        made.push({
          engine,
          version: version === 'unknown' ? engineVersion() : version,
          device,
          backend,
          checks,
          digest,
          differing: differences.length,
          seconds,
        });
      }
      const last = made[made.length - 1];
      const comparable = full && due !== undefined && last?.checks === due.checks;
      const same = comparable && made.every((r) => r.digest === due.digest && r.differing === 0);
      const alone = made.every((r) => r.differing === 0)
        ? 'No run differs from its expected digest; this build has the small task, which the table does not hold.'
        : 'Some runs differ.';
      const line = comparable
        ? same
          ? `${whole(last.checks)} runs: the digest of the table. This browser joins ${rows.length} rows.`
          : 'The digest differs from that of the table.'
        : alone;
      results.replaceChildren(
        ...refused.map((r) => errorBox({ family: r.backend, message: r.error })),
        el(
          'p',
          { class: `verdict ${same || (!comparable && made.every((r) => r.differing === 0)) ? 'good' : 'bad'}` },
          line,
        ),
        ...(made.length > 0 ? [shown('This browser', made), handing(made)] : []),
      );
      say(line);
    }
    bar.end();
  };
  run.addEventListener('click', async () => {
    run.disabled = true;
    await runSuite().catch((e: unknown) => results.replaceChildren(errorBox(e)));
    run.disabled = false;
  });
  run.disabled = false;
}
