/**
 * Every command and program of README.md runs and prints what the text says. A line … stands for any lines, ? for any word.
 * SAMEBIT_UPDATE_DOCS=1 writes what they print into the text, where it holds neither.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folder, MAIN, ROOT } from './cli/samebit.ts';

const PATH = join(ROOT, 'README.md');
const update = process.env.SAMEBIT_UPDATE_DOCS !== undefined;
const work = folder();
mkdirSync(join(work, 'node_modules'));
symlinkSync(ROOT, join(work, 'node_modules/samebit'), 'junction');
symlinkSync(join(ROOT, 'examples'), join(work, 'examples'), 'junction');

/** What a program of Node prints on both streams. */
function node(args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: work,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return (stdout + stderr).trimEnd();
}

/** Times vary: a last number with three decimals is masked. */
function masked(line: string): string {
  return line.replace(/\s+\d+\.\d{3}$/, ' TIME').trimEnd();
}

/** True if the printed lines are the expected ones. */
function matches(expected: readonly string[], printed: readonly string[]): boolean {
  const [head, ...rest] = expected;
  if (head === undefined) return printed.length === 0;
  if (head === '…') return printed.some((_, i) => matches(rest, printed.slice(i))) || rest.length === 0;
  const pattern = new RegExp(
    `^${masked(head)
      .replace(/[.*+^${}()|[\]\\]/g, '\\$&')
      .replace(/\?/g, '\\S+')}$`,
  );
  return printed.length > 0 && pattern.test(masked(printed[0]!)) && matches(rest, printed.slice(1));
}

interface Step {
  readonly what: string;
  readonly run: () => string;
  readonly expected: string;
}

interface Fence {
  readonly language: string;
  readonly body: string;
  readonly start: number;
  readonly end: number;
}

function fences(text: string): Fence[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((m) => ({
    language: m[1]!,
    body: m[2]!,
    start: m.index,
    end: m.index + m[0].length,
  }));
}

function consoleSteps(f: Fence): Step[] {
  return f.body.split(/^(?=\$ )/m).flatMap((part) => {
    const [command, ...output] = part.trimEnd().split('\n');
    if (command!.startsWith('$ npm ')) return [];
    const words = command!.replace(/^\$ npx samebit /, '').split(' ');
    return [{ what: command!, run: () => node([MAIN, ...words]), expected: output.join('\n') }];
  });
}

function steps(text: string): Step[] {
  const all = fences(text);
  return all.flatMap((f, i) => {
    if (f.language === 'console') return consoleSteps(f);
    if (f.language !== 'js') return [];
    const next = all[i + 1];
    return [
      {
        what: f.body,
        run: () => node(['--input-type=module', '-e', f.body]),
        expected: next?.language === 'text' ? next.body.trimEnd() : '',
      },
    ];
  });
}

/** The text with the printed lines in the place of the expected ones. */
function updated(text: string, results: ReadonlyMap<string, string>): string {
  let out = text;
  for (const [what, printed] of results) {
    const at = out.indexOf(what) + what.length;
    const from = what.startsWith('$ ') ? at : out.indexOf('```text', at) + '```text'.length;
    const to = what.startsWith('$ ') ? out.slice(from).search(/^(\$ |```)/m) + from : out.indexOf('```', from);
    out = `${out.slice(0, from)}\n${printed}\n${out.slice(to)}`;
  }
  return out;
}

it('README.md says what the programs print', () => {
  const text = readFileSync(PATH, 'utf8');
  const results = new Map<string, string>();
  const wrong: string[] = [];
  for (const { what, run, expected } of steps(text)) {
    const printed = run();
    if (!matches(expected === '' ? [] : expected.split('\n'), printed === '' ? [] : printed.split('\n')))
      wrong.push(`${what}\n--- README.md\n${expected}\n--- printed\n${printed}`);
    if (!/^…$|\?/m.test(expected)) results.set(what, printed);
  }
  if (update) writeFileSync(PATH, updated(text, results));
  else expect(wrong.join('\n\n')).toBe('');
  expect(results.size).toBeGreaterThan(3);
});

it('links of the documents lead somewhere', () => {
  const missing: string[] = [];
  for (const doc of [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'docs/aot.md',
    'docs/consumers.md',
    'docs/zk.md',
    'examples/mnist/README.md',
    'examples/german-credit/README.md',
  ]) {
    const text = readFileSync(join(ROOT, doc), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      try {
        readFileSync(join(ROOT, doc, '..', target!));
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code !== 'EISDIR') missing.push(`${doc}: ${target}`);
      }
    }
  }
  expect(missing).toEqual([]);
});
