/**
 * How the command line prints: lines, tables, progress.
 * @module
 */

import type { SingleBar } from 'cli-progress';
import progress from 'cli-progress';
import Table from 'cli-table3';

/** Prints a line on stdout. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A plain table without rules, columns aligned; `right` lists the columns that hold numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const empty = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((k) => [k, '']),
  );
  const t = new Table({
    chars: { ...empty, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
  });
  t.push([...head], ...rows.map((r) => [...r]));
  return t
    .toString()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}

/** Progress of long work on stderr, where that is a terminal; `stop` clears it. */
export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

/** A progress bar, or nothing where stderr is no terminal. */
export function startProgress(what: string): Progress {
  let bar: SingleBar | undefined;
  return {
    update(done, total) {
      if (!process.stderr.isTTY) return;
      if (bar === undefined) {
        bar = new progress.SingleBar(
          {
            format: `${what} {bar} {percentage} %  {value}/{total}, {eta_formatted} left`,
            stream: process.stderr,
            clearOnComplete: true,
            hideCursor: true,
          },
          progress.Presets.shades_classic,
        );
        bar.start(total, done);
      } else bar.update(done);
    },
    stop() {
      bar?.stop();
    },
  };
}
