/**
 * Code blocks of the documents, and how they run. A fence is followed by its language and words:
 *
 * - `setup`: stands before every later program of the page;
 * - `continues`: goes on where the program above it ended;
 * - `alone`: runs in a process of its own, since it changes the engine;
 * - `not-run="why"`: does not run here.
 *
 * A comment `<!-- setup … -->` or `<!-- program … -->` is a block that is not shown. Programs in js and ts that follow each
 * other run in one process, each a module of its own; a block of text behind a program is what it prints. In a console block each line behind `$ ` is a command, and what follows it its output.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { MAIN, ROOT } from '../cli/samebit.ts';

/** A block, and the headings above it. */
export interface Block {
  readonly language: string;
  readonly role: '' | 'setup' | 'continues' | 'alone';
  /** Why it does not run. */
  readonly notRun: string | undefined;
  readonly body: string;
  readonly line: number;
  readonly heading: string;
  /** The text block right behind it, if there is one. */
  readonly expected: string | undefined;
}

/** What a program printed on both streams, and the error that ended it. */
export interface Outcome {
  readonly printed: string;
  readonly error?: { readonly family?: string; readonly code?: string; readonly hint?: string; readonly text: string };
}

const FENCE = /^```(\w+)?([^\n]*)\n([\s\S]*?)^```$|^<!-- (setup|program)\n([\s\S]*?)^-->$/gm;

/** The blocks of a page. @throws Error where a fence has a word that means nothing */
export function blocksOf(text: string): Block[] {
  const found = [...text.matchAll(FENCE)];
  return found.map((m, i) => {
    const [whole, language = '', info = '', body = m[5]!] = m;
    const hidden = m[4];
    const words = /^(?: (setup|continues|alone))?(?: not-run="([^"]+)")?$/.exec(info);
    if (words === null || (language === '' && hidden === undefined))
      throw new Error(`a fence says ${whole.split('\n')[0]}`);
    const next = found[i + 1];
    const between = next && text.slice(m.index + whole.length, next.index).trim();
    return {
      language: hidden === undefined ? language : 'js',
      role: hidden === 'setup' ? hidden : ((words[1] ?? '') as Block['role']),
      notRun: words[2],
      body,
      line: text.slice(0, m.index).split('\n').length,
      heading:
        text
          .slice(0, m.index)
          .match(/^#+ .*$/gm)
          ?.at(-1) ?? '',
      expected: next?.[1] === 'text' && between === '' ? next[3]!.trimEnd() : undefined,
    };
  });
}

/** True for what runs as a module. */
function isProgram(b: Block): boolean {
  return b.language === 'js' || b.language === 'ts';
}

let credit: Uint8Array | undefined;

/** Makes a folder into that of a user: the package installed, the examples and two models beside it. */
export function furnish(work: string): void {
  mkdirSync(join(work, 'node_modules'));
  symlinkSync(ROOT, join(work, 'node_modules/samebit'), 'junction');
  for (const name of ['@ethereumjs', 'viem'])
    symlinkSync(join(ROOT, 'node_modules', name), join(work, 'node_modules', name), 'junction');
  symlinkSync(join(ROOT, 'examples'), join(work, 'examples'), 'junction');
  cpSync(join(ROOT, 'test/golden/models/mnist-cnn.sbm'), join(work, 'digits.sbm'));
  if (credit === undefined) {
    const of = 'examples/german-credit';
    runCommand(`npx samebit convert ${of}/model.onnx -o credit.sbm --calib ${of}/calib.npy`, work);
    credit = readFileSync(join(work, 'credit.sbm'));
  }
  writeFileSync(join(work, 'credit.sbm'), credit);
}

/** Runs modules one after the other, and writes a line of JSON for each. */
const RUNNER = `
import { format } from 'node:util';
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
let printed = [];
console.log = console.error = console.warn = (...a) => printed.push(format(...a));
for (const path of process.argv.slice(1)) {
  printed = [];
  let error;
  try {
    await import(pathToFileURL(path).href);
  } catch (e) {
    error = { family: e?.family, code: e?.code, hint: e?.hint, text: e?.family ? String(e) : format(e) };
  }
  writeSync(1, JSON.stringify({ printed: printed.join('\\n').trimEnd(), error }) + '\\n');
}
process.exit(0);
`;

const env = { ...process.env, NO_COLOR: '1' };

function runModules(paths: readonly string[], work: string): Outcome[] {
  const args = ['--input-type=module', '-e', RUNNER, ...paths];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: work, encoding: 'utf8', env, timeout: 100_000 });
  const lines = stdout.trimEnd().split('\n').filter(Boolean);
  return paths.map((_, i) =>
    lines[i] === undefined
      ? { printed: '', error: { text: `the process ended before it: ${stderr}` } }
      : (JSON.parse(lines[i]) as Outcome),
  );
}

/** A program or a command, and what came of it. */
export interface Step {
  readonly block: Block;
  readonly what: string;
  /** What the page says that it prints; undefined where it says nothing. */
  readonly expected: string | undefined;
  readonly outcome: Outcome;
}

/** Runs what a page holds, in order. `name` is that of its files in the folder. */
export function runPage(name: string, blocks: readonly Block[], work: string): Step[] {
  const steps: Step[] = [];
  const waiting: { readonly block: Block; readonly path: string }[] = [];
  const flush = (): void => {
    const outcomes =
      waiting.length === 0
        ? []
        : runModules(
            waiting.map((w) => w.path),
            work,
          );
    waiting.splice(0).forEach(({ block }, i) => {
      steps.push({ block, what: block.body, expected: block.expected, outcome: outcomes[i]! });
    });
  };
  let setup = '';
  let last = '';
  for (const [i, block] of blocks.entries()) {
    if (block.notRun !== undefined) continue;
    if (block.role === 'setup') setup += block.body;
    else if (isProgram(block)) {
      last = (block.role === 'continues' ? last : setup) + block.body;
      const path = join(work, `${name}-${i}.mjs`);
      writeFileSync(
        path,
        block.language === 'ts' ? transformSync(last, { loader: 'ts', target: 'es2022' }).code : last,
      );
      if (block.role === 'alone') flush();
      waiting.push({ block, path });
      if (block.role === 'alone') flush();
    } else if (block.language === 'console') {
      flush();
      for (const { line, expected } of commandsOf(block))
        steps.push({ block, what: `$ ${line}`, expected, outcome: runCommand(line, work) });
    }
  }
  flush();
  return steps;
}

/** A command of a console block and the lines that it prints; undefined where the block shows none. */
interface Command {
  readonly line: string;
  readonly expected: string | undefined;
}

/** The commands of a console block. */
function commandsOf(b: Block): Command[] {
  const parts = b.body.split(/^(?=\$ )/m).map((p) => p.trimEnd().split('\n'));
  const silent = parts.every((p) => p.length === 1);
  return parts.map(([line, ...output]) => ({ line: line!.slice(2), expected: silent ? undefined : output.join('\n') }));
}

/** Runs `npx samebit …` or `node …` in the folder. @throws Error for another command */
function runCommand(line: string, work: string): Outcome {
  const words = [...line.replace(/\s+#.*$/, '').matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2]!);
  const [program, ...args] = words[0] === 'npx' && words[1] === 'samebit' ? [MAIN, ...words.slice(2)] : words.slice(1);
  if (words[0] !== 'node' && program !== MAIN) throw new Error(`not a command that runs here: ${line}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program!, ...args], {
    cwd: work,
    encoding: 'utf8',
    env,
  });
  const printed = (stdout + stderr).trimEnd();
  return status === 0 ? { printed } : { printed, error: { text: `exit ${status}: ${stderr}` } };
}

/** Times vary: a last number with three decimals is masked. */
function masked(line: string): string {
  return line.replace(/\s+\d+\.\d{3}$/, ' TIME').trimEnd();
}

/** True if the printed lines are the expected ones: a line … stands for any lines, ? for any word. */
export function matches(expected: readonly string[], printed: readonly string[]): boolean {
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
