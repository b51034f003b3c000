/** Help, completion, colours, paths, next steps and `samebit diff`. */
import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { alignNodes } from '../../src/cli/align.ts';
import { takesColours } from '../../src/cli/colours.ts';
import { EXAMPLES } from '../../src/cli/examples.ts';
import { localPath, namedFile } from '../../src/cli/files.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph } from '../../src/graph/ir.ts';
import type { OpName } from '../../src/ops/index.ts';
import { example, folder, json, MAIN, ROOT, samebit } from './samebit.ts';

const listed = samebit(['--help']).stdout;
// The help of serve is that of its own package.
const commands = [...listed.matchAll(/^ {2}([a-z][a-z-]+)(?: |$)/gm)]
  .map((m) => m[1]!)
  .filter((c) => c !== 'help' && c !== 'serve');

describe('help', () => {
  it('lists every command, and each has examples', () => {
    expect(commands.length).toBeGreaterThan(20);
    expect(Object.keys(EXAMPLES).sort()).toEqual([...commands].sort());
  });

  it.each(commands)('the examples of %s have options that it knows', (command) => {
    const { stdout, code } = samebit([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:');
    for (const [line] of EXAMPLES[command]!) {
      expect(stdout).toContain(`samebit ${line}`);
      expect(line.split(' ')[0]).toBe(command);
      for (const [flag] of line.matchAll(/(?<= )--?[a-z][a-z-]*/g))
        expect(stdout.slice(0, stdout.indexOf('Examples:')), line).toMatch(new RegExp(`(^|[ ,])${flag}[ ,\n]`, 'm'));
    }
  });

  it('says which options are required', () => {
    expect(samebit(['convert', '--help']).stdout).toMatch(/--output <OUT\.sbm> +required: /);
  });
});

describe('next steps', () => {
  it.each([
    [['convrt'], 'samebit convert --help says how it is used.'],
    [['nothing-like-it'], 'samebit --help lists the commands.'],
    [['convert', 'x.onnx'], `For example: samebit ${EXAMPLES['convert']![0]![0]}`],
    [['run'], `For example: samebit ${EXAMPLES['run']![0]![0]}`],
    [['run', 'x.sbm', '--inptu', 'x'], 'samebit run --help lists the options.'],
  ])('%j', (args, next) => {
    const { stderr, code } = samebit(args);
    expect(code).toBe(2);
    expect(stderr).toContain(`next: ${next}`);
  });

  it('names files of the kind beside one that is not there', () => {
    const work = folder();
    expect(samebit(['info', 'digits.sbm'], work).stderr).toContain('samebit convert MODEL.onnx');
    for (const name of ['a.sbm', 'b.sbm', 'c.sbm', 'd.sbm']) writeFileSync(join(work, name), '');
    expect(samebit(['info', 'digits.sbm'], work).stderr).toContain('The folder has a.sbm, b.sbm, c.sbm, and 1 more');
  });
});

describe('colours', () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '', TERM: 'xterm' }, true],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{}, {}, false],
    [{}, { FORCE_COLOR: '1' }, true],
    [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
    [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('%j with %j: %s', (stream, env, takes) => {
    expect(takesColours(stream, env)).toBe(takes);
  });

  it('only where they are asked for', () => {
    const run = (env: object): string =>
      spawnSync(process.execPath, [MAIN, 'info', 'no.sbm'], { encoding: 'utf8', env: { ...process.env, ...env } })
        .stderr;
    const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined };
    expect(run(plain)).not.toContain('\x1b');
    expect(run({ ...plain, FORCE_COLOR: '1' })).toContain('\x1b[31m');
    expect(run({ NO_COLOR: '1', FORCE_COLOR: '1' })).not.toContain('\x1b');
  });
});

/** A path as Windows writes it. */
const back = (path: string): string => path.replaceAll('/', '\\');

describe('paths', () => {
  it.each([
    [back('C:/m/digits.sbm'), back('C:/m/digits.sbm')],
    ['models\\digits.sbm', 'models\\digits.sbm'],
    ['file:///C:/m/my%20digits.sbm', back('C:/m/my digits.sbm')],
    ['file://server/share/digits.sbm', '\\\\server\\share\\digits.sbm'],
    ['\\\\server\\share\\digits.sbm', '\\\\server\\share\\digits.sbm'],
  ])('%s under Windows', (text, path) => {
    expect(localPath(text, true)).toBe(path);
  });

  it.each([
    ['file:///tmp/my%20digits.sbm', '/tmp/my digits.sbm'],
    ['a/b.sbm', 'a/b.sbm'],
    ['file.sbm', 'file.sbm'],
  ])('%s elsewhere', (text, path) => {
    expect(localPath(text, false)).toBe(path);
  });

  it('names another host, or drives in a name=FILE', () => {
    expect(() => localPath('file://server/share/x.sbm', false)).toThrow(expect.objectContaining({ code: 'BadUrl' }));
    expect(namedFile(back('x=C:/data/x.npy'))).toEqual({ name: 'x', path: back('C:/data/x.npy') });
  });

  it('a file: URL is read', () => {
    const model = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
    expect(samebit(['info', pathToFileURL(model).href]).code).toBe(0);
  });
});

describe('completion', () => {
  const complete = (...words: string[]): string[] => {
    const script = join(folder(), 'samebit.bash');
    writeFileSync(script, samebit(['completion', 'bash']).stdout);
    const list = words.map((w) => `'${w}'`).join(' ');
    const { stdout, stderr } = spawnSync(
      'bash',
      [
        '-c',
        `source ${script}; COMP_WORDS=(samebit ${list}); COMP_CWORD=${words.length}; ` +
          `_samebit samebit '${words.at(-1)}' '${words.at(-2) ?? 'samebit'}'; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    return stdout.trim().split('\n').filter(Boolean);
  };

  it('bash: commands, options, values', () => {
    expect(complete('con')).toEqual(['convert']);
    expect(complete('')).toEqual(expect.arrayContaining(commands));
    expect(complete('convert', '--re')).toEqual(['--report']);
    expect(complete('convert', '--weights', '')).toEqual(['i8', 'i4']);
    expect(complete('convert', '--calib', '')).toEqual([]); // files
    expect(complete('convert', 'mo')).toEqual([]);
  });

  it.each(['zsh', 'fish'])('%s: every command and option', (shell) => {
    const script = samebit(['completion', shell]).stdout;
    for (const command of commands) expect(script).toContain(command);
    expect(script).toContain('report');
    const found = spawnSync(shell, ['-n', '-c', script], { encoding: 'utf8' });
    if (found.error === undefined) expect(found.stderr).toBe(''); // where the shell is installed
  });
});

describe('diff', () => {
  const golden = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
  const work = folder();
  const graph = (weight: number, more: Partial<Graph> = {}): Graph => ({
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [1, 4], zp: 0, lo: -128, hi: 127 }],
    constants: [
      { dtype: 'i8', shape: [2, 4], zp: 0, data: new Int8Array(8).fill(3).fill(weight, 6) },
      { dtype: 'i32', shape: [2], zp: 0, data: new Int32Array(2) },
    ],
    nodes: [
      {
        op: 'dense',
        inputs: [0, 1, 2],
        attrs: { block: 0, stage: { m: Int32Array.of(1 << 30), l: 0, dtype: 'i8', zp: 0, lo: -128, hi: 127 } },
      },
    ],
    outputs: [{ name: 'y', tensor: 3 }],
    states: [],
    ...more,
  });
  const write = (name: string, g: Graph): string => {
    writeFileSync(join(work, name), encodeModel(g));
    return name;
  };

  it('the same model', () => {
    cpSync(golden, join(work, 'a.sbm'));
    const { stdout, code } = samebit(['diff', 'a.sbm', golden], work);
    expect([code, stdout]).toEqual([0, expect.stringContaining('the same model')]);
  });

  it('weights, with a histogram of how far apart they are', () => {
    const [a, b] = [write('w3.sbm', graph(3)), write('w10.sbm', graph(10))];
    const { stdout, code } = samebit(['diff', a, b, '--json'], work);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      same: false,
      nodes: [1, 1],
      signature: [],
      changes: [
        {
          change: 'changed',
          a: 0,
          b: 0,
          op: 'dense',
          weights: { elements: 10, different: 2, greatest: 7, histogram: { 0: 8, 5: 2 } },
        },
      ],
    });
    expect(samebit(['diff', a, b], work).stdout).toMatch(/weights: 20\.0 % differ, by at most 7[\s\S]*5…8 +2/);
  });

  it('nodes, signature and gas', () => {
    const reshaped = graph(3, { outputs: [{ name: 'z', tensor: 4 }] });
    const nodes = [...reshaped.nodes, { op: 'reshape' as const, inputs: [3], attrs: { shape: [2] } }];
    const [a, b] = [write('one.sbm', graph(3)), write('two.sbm', { ...reshaped, nodes })];
    const d = JSON.parse(samebit(['diff', a, b, '--json'], work).stdout);
    expect(d.signature.map((s: { port: string }) => s.port)).toEqual(['output y', 'output z']);
    expect(d.changes).toMatchObject([{ change: 'added', b: 1, op: 'reshape' }]);
    expect(d.gas[1]).toBeGreaterThan(d.gas[0]);
  });

  it('two conversions of one network', () => {
    const convert = (out: string, ...more: string[]): unknown =>
      json(
        [
          'convert',
          example('german-credit/model.onnx'),
          '-o',
          out,
          '--calib',
          example('german-credit/calib.npy'),
          ...more,
        ],
        work,
      );
    convert('minmax.sbm');
    convert('i4.sbm', '--weights', 'i4');
    const { stdout, code } = samebit(['diff', 'minmax.sbm', 'i4.sbm'], work);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/nodes differ/)]);
  });

  it('misuse', () => {
    expect(samebit(['diff', golden]).code).toBe(2);
    expect(samebit(['diff', golden, 'nothing.sbm']).code).toBe(2);
  });

  it('aligns nodes by a longest common subsequence', () => {
    const of = (text: string): { op: OpName }[] => [...text].map((c) => ({ op: c as OpName }));
    expect(alignNodes(of('abcd'), of('abxcd'))).toEqual([
      [0, 0],
      [1, 1],
      [undefined, 2],
      [2, 3],
      [3, 4],
    ]);
    expect(alignNodes(of('abab'), of('ba'))).toEqual([
      [0, undefined],
      [1, 0],
      [2, 1],
      [3, undefined],
    ]);
    expect(alignNodes(of(''), of('a'))).toEqual([[undefined, 0]]);
    expect(alignNodes(of('a'), of('b'))).toEqual([
      [0, undefined],
      [undefined, 0],
    ]);
  });
});
