/**
 * The code blocks of README.md and docs/ run and print what the text says (test/support/doc-blocks.ts has the rules).
 * SAMEBIT_UPDATE_DOCS=1 writes what the programs and commands of README.md print into the text, where it holds neither … nor ?.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPS } from '../src/ops/index.ts';
import { folder, ROOT } from './cli/samebit.ts';
import { type Block, blocksOf, furnish, matches, runPage, type Step } from './support/doc-blocks.ts';

const MORE = [
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'CONFORMANCE.md',
  'HOSTS.md',
  'ENGINES.md',
  'MODELS.md',
];
const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
];
/** Languages whose blocks are programs; others are shapes, output or pictures in letters. */
const CODE = ['js', 'ts', 'console', 'html', 'python', 'go', 'rust', 'solidity', 'sh', 'json'];
const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const nameOf = (page: string): string => page.replace(/\W/g, '-');

function told({ what, expected, outcome }: Step): string {
  return `${what}\n--- the page\n${expected ?? 'prints anything'}\n--- printed\n${outcome.printed}\n${outcome.error?.text ?? ''}`;
}

/** True where a command or program does what the page says. */
function holds({ expected, outcome }: Step): boolean {
  const meant = /^(\w+Error|OutOfGas) \w+: /m.test(expected ?? '');
  if (outcome.error !== undefined && !meant) return false;
  if (expected === undefined) return true;
  return matches(
    expected === '' ? [] : expected.split('\n'),
    outcome.printed === '' ? [] : outcome.printed.split('\n'),
  );
}

/** The text with the printed lines in the place of the expected ones. */
function updated(text: string, steps: readonly Step[]): string {
  let out = text;
  for (const { what, expected, outcome } of steps) {
    if (expected === undefined || /^…$|\?/m.test(expected)) continue;
    const at = out.indexOf(what) + what.length;
    const from = what.startsWith('$ ') ? at : out.indexOf('```text', at) + '```text'.length;
    const to = what.startsWith('$ ') ? out.slice(from).search(/^(\$ |```)/m) + from : out.indexOf('```', from);
    out = `${out.slice(0, from)}\n${outcome.printed}\n${out.slice(to)}`;
  }
  return out;
}

describe('code blocks run', () => {
  it.each(PAGES.filter((p) => p !== 'docs/errors.md'))('%s', (page) => {
    const text = textOf(page);
    const work = folder();
    furnish(work);
    const steps = runPage(nameOf(page), blocksOf(text), work);
    if (process.env.SAMEBIT_UPDATE_DOCS !== undefined) writeFileSync(join(ROOT, page), updated(text, steps));
    else
      expect(
        steps
          .filter((s) => !holds(s))
          .map(told)
          .join('\n\n'),
      ).toBe('');
    if (page === 'README.md') expect(steps.length).toBeGreaterThan(4);
  });

  it('what does not run says why, and is counted', () => {
    const blocks = PAGES.flatMap((page) => blocksOf(textOf(page)).map((b) => ({ ...b, page })));
    const runs = (b: Block): boolean => ['js', 'ts', 'console'].includes(b.language);
    const silent = blocks.filter((b) => CODE.includes(b.language) && !runs(b) && b.notRun === undefined);
    expect(silent.map((b) => `${b.page}:${b.line}`)).toEqual([]);
    expect(blocks.filter((b) => ![...CODE, 'text'].includes(b.language)).map((b) => b.language)).toEqual([]);
    for (const { notRun } of blocks) {
      const [, path] = /(test\/\S+\.ts)/.exec(notRun ?? '') ?? [];
      if (path !== undefined) expect(() => textOf(path)).not.toThrow();
    }
    const left = blocks.filter((b) => b.notRun !== undefined).length;
    expect({ run: blocks.filter((b) => runs(b) && b.notRun === undefined).length, left }).toMatchInlineSnapshot(`
      {
        "left": 58,
        "run": 113,
      }
    `);
  });
});

it('documents count the ops', () => {
  const said = ['README.md', 'docs/gpu.md', 'docs/comparison.md'].flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\ball (\d+) ops\b|\b(\d+) integer ops\b/gi)].map(
      (m) => `${page}: ${m[1] ?? m[2]}`,
    ),
  );
  expect(said.length).toBeGreaterThan(4);
  for (const line of said) expect(line.split(': ')[1], line).toBe(String(Object.keys(OPS).length));
});

describe('links lead somewhere', () => {
  const documents = [...PAGES, ...MORE, 'examples/mnist/README.md', 'examples/german-credit/README.md'];
  const anchor = (heading: string): string =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-');

  it.each(documents)('%s', (doc) => {
    const missing: string[] = [];
    for (const [, target = '', part] of textOf(doc).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const path = target === '' ? doc : join(doc, '..', target);
      try {
        const text = textOf(path);
        if (part !== undefined && !(text.match(/^#+ .*$/gm) ?? []).some((h) => anchor(h) === part))
          missing.push(`${target}#${part}`);
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code !== 'EISDIR') missing.push(target);
      }
    }
    expect(missing).toEqual([]);
  });
});
