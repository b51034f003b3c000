/** Each command as a user runs it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../src/cli/npy.ts';
import { bytes, convertDigits, example, folder, json, npy, type Outcome, samebit, saveTensor } from './samebit.ts';

interface Run {
  readonly id: string;
  readonly digest: string;
  readonly gasUsed: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly data: readonly number[];
    readonly real: readonly number[];
    readonly file?: string;
  }[];
}

const dir = folder();
const digits = join(dir, 'digits.sbm');
const credit = join(dir, 'credit.sbm');
let converted: Outcome;

beforeAll(() => {
  converted = convertDigits(digits);
  samebit([
    'convert',
    example('german-credit/model.onnx'),
    '-o',
    credit,
    '--calib',
    `features=${example('german-credit/calib.npy')}`,
  ]);
});

describe('convert', () => {
  it('prints one JSON object and writes the file that it describes', () => {
    expect(converted.code).toBe(0);
    expect(converted.stderr).toBe('');
    expect(converted.stdout.trim().split('\n')).toHaveLength(1);
    const result = JSON.parse(converted.stdout) as Record<string, unknown>;
    expect(result).toMatchObject({ onnxBytes: 509362, bytes: statSync(digits).size, ops: 10, warnings: [] });
    expect(result.id).toMatch(/^[0-9a-f]{64}$/);
    expect(result.macs).toBeGreaterThan(5e6);
    expect(result.gas).toBeGreaterThan(5e6);
    expect(result.layers).toHaveLength(10);
    expect(readdirSync(dir).sort()).toEqual(['credit.sbm', 'digits.sbm']);
  });

  it('writes the same bytes again', () => {
    const again = join(folder(), 'again.sbm');
    convertDigits(again);
    expect(bytes(again)).toEqual(bytes(digits));
  });

  it.each(['minmax', 'mse', 'percentile'])('--ranges %s', (ranges) => {
    const out = join(folder(), 'm.sbm');
    const result = json<{ ops: number }>([
      'convert',
      example('german-credit/model.onnx'),
      '-o',
      out,
      '--calib',
      example('german-credit/calib.npy'),
      '--ranges',
      ranges,
      '--dim',
      'N=1',
    ]);
    expect(result.ops).toBeGreaterThan(2);
  });

  it('prints a table for people', () => {
    const { code, stdout } = samebit([
      'convert',
      example('german-credit/model.onnx'),
      '-o',
      join(folder(), 'm.sbm'),
      '--calib',
      example('german-credit/calib.npy'),
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('of the ONNX file');
    expect(stdout).toMatch(/id [0-9a-f]{64}/);
  });
});

describe('info', () => {
  it('states signature, ops, gas, memory and bounds', () => {
    const { id } = JSON.parse(converted.stdout) as { id: string };
    const result = json<Record<string, never>>(['info', digits]);
    expect(result).toMatchObject({
      id,
      bytes: statSync(digits).size,
      inputs: [{ name: 'input', dtype: 'u8', shape: [1, 28, 28, 1], lo: 0, hi: 255 }],
      outputs: [{ name: 'output', dtype: 'i16', shape: [1, 10] }],
      states: [],
    });
    const { memory, nodes } = result as unknown as {
      memory: { canonical: { total: number }; backends: Record<string, { total: number }> };
      nodes: { op: string; facts: object }[];
    };
    expect(memory.canonical.total).toBeGreaterThan(120000);
    expect(Object.keys(memory.backends)).toEqual(['reference', 'wasm']);
    expect(memory.backends.wasm!.total).toBeGreaterThanOrEqual(memory.canonical.total);
    expect(nodes).toHaveLength(10);
    expect(Object.keys(nodes[0]!.facts)).not.toHaveLength(0);
  });

  it('prints tables for people', () => {
    const { code, stdout } = samebit(['info', digits]);
    expect(code).toBe(0);
    for (const word of ['gas of a run, schedule 1', 'canonical', 'conv2d', 'proved', 'u8'])
      expect(stdout).toContain(word);
  });
});

describe('run', () => {
  it('gives the same bits on every backend and writes the outputs', () => {
    const out = join(folder(), 'new', 'folder');
    const a = json<Run>(['run', digits, '--input', example('mnist/test.npy'), '--index', '7', '-o', out]);
    const b = json<Run>([
      'run',
      digits,
      '--input',
      `input=${example('mnist/test.npy')}`,
      '--index',
      '7',
      '--backend',
      'reference',
    ]);
    expect(b.digest).toBe(a.digest);
    expect(a.outputs[0]).toMatchObject({ name: 'output', dtype: 'i16', shape: [1, 10] });
    const written = readNpy(bytes(a.outputs[0]!.file!));
    expect(written).toMatchObject({ dtype: 'i16', shape: [1, 10] });
    expect([...written.data]).toEqual(a.outputs[0]!.data);
  });

  it('takes entry 0 of a file of samples, a file in the shape of the input, and one with other axes of size 1', () => {
    const test = readNpy(bytes(example('mnist/test.npy')));
    const image = test.data.slice(0, 784) as Uint8Array;
    const direct = saveTensor(join(dir, 'direct.npy'), { dtype: 'u8', shape: [1, 28, 28, 1], data: image });
    const flat = saveTensor(join(dir, 'flat.npy'), { dtype: 'u8', shape: [28, 28], data: image });
    const runs = [example('mnist/test.npy'), direct, flat].map((f) => json<Run>(['run', digits, '--input', f]).digest);
    expect(new Set(runs).size).toBe(1);
  });

  it('quantizes floats by the stored scale', () => {
    const test = readNpy(bytes(example('mnist/test.npy')));
    const floats = join(dir, 'floats.npy');
    writeFileSync(
      floats,
      npy(
        '<f4',
        [1, 1, 28, 28],
        Float32Array.from(test.data.slice(0, 784), (v) => v / 255),
      ),
    );
    const [a, b] = [floats, example('mnist/test.npy')].map((f) => json<Run>(['run', digits, '--input', f]));
    expect(a!.digest).toBe(b!.digest);
  });

  it('gives the reals of an output', () => {
    const expected = readNpy(bytes(example('german-credit/float_outputs.npy'))).data;
    const result = json<Run>(['run', credit, '--input', example('german-credit/test.npy'), '--index', '3']);
    expect(result.outputs[0]!.real[0]).toBeCloseTo(expected[3]!, 1);
  });

  it('prints the digest for people', () => {
    const { code, stdout } = samebit(['run', digits, '--input', example('mnist/test.npy')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/digest [0-9a-f]{64}/);
    expect(stdout).toContain('sample 0 of 2000');
  });
});

describe('verify', () => {
  it('finds the backends identical, with the same digest for the same seed', () => {
    const run = (
      seed: string,
    ): { identical: boolean; runs: number; backends: { name: string; digest: string; ms: number }[] } =>
      json(['verify', credit, '--runs', '40', '--seed', seed]);
    const [a, b, c] = ['1', '1', '2'].map((s) => run(s!));
    expect(a).toMatchObject({ identical: true, runs: 40, backends: [{ name: 'reference' }, { name: 'wasm' }] });
    expect(a!.backends[0]!.digest).toBe(a!.backends[1]!.digest);
    expect(b!.backends[0]!.digest).toBe(a!.backends[0]!.digest);
    expect(c!.backends[0]!.digest).not.toBe(a!.backends[0]!.digest);
  });

  it.each(['verify', 'bench'])('%s takes wasm on threads; a model too small to share runs on one', (command) => {
    const args = ['--runs', '5', '--backends', 'wasm,wasm:3'];
    const rows = (file: string): (string | number)[][] =>
      json<{ backends: { name: string; threads: number }[] }>([command, file, ...args]).backends.map((b) => [
        b.name,
        b.threads,
      ]);
    expect(rows(digits)).toEqual([
      ['wasm', 1],
      ['wasm:3', 3],
    ]);
    expect(rows(credit)).toEqual([
      ['wasm', 1],
      ['wasm:3', 1],
    ]);
    expect(samebit([command, digits, ...args]).stdout).not.toContain('thread');
    expect(samebit([command, credit, ...args]).stdout).toMatch(/\n +wasm +[^(]+\n +wasm:3 \(one thread\) /);
  });

  it('takes two backends at least', () => {
    const { code, stdout, stderr } = samebit(['verify', credit, '--runs', '3', '--backends', 'wasm']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('UsageError OneBackend');
  });
});

it('--version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  expect(samebit(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

it('--help is help on stdout, of every command', () => {
  const all = samebit(['--help']);
  expect([all.code, all.stderr]).toEqual([0, '']);
  const names = [...all.stdout.matchAll(/^ {2}([a-z][a-z-]*) (?:\[options\]|<)/gm)].map((m) => m[1]!);
  expect(names).toEqual(expect.arrayContaining(['convert', 'run', 'verify', 'publish', 'gateway', 'serve-job']));
  for (const name of names) {
    const { code, stdout, stderr } = samebit([name, '--help']);
    expect([name, code, stderr]).toEqual([name, 0, '']);
    expect(stdout).toContain(`Usage: samebit ${name}`);
  }
}, 60_000);
