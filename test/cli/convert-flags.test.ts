/** Every flag of `samebit convert`: what it changes, and what it says of a bad value. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildOnnx, type TensorSpec, values } from '../onnx/build.ts';
import { folder, json, npy, samebit } from './samebit.ts';

interface Summary {
  readonly id: string;
  readonly ops: number;
  readonly gas: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly (number | string)[];
  }[];
  readonly layers: readonly { readonly dtype: string }[];
  readonly tuning: {
    readonly ranges: unknown;
    readonly widened: readonly unknown[];
    readonly equalised: readonly unknown[];
    readonly int4: readonly unknown[];
  };
}

const dir = folder();
const at = (name: string): string => join(dir, name);
const constant = (name: string, shape: readonly number[], seed: number): TensorSpec => ({
  name,
  shape,
  values: values(
    shape.reduce((a, d) => a * d, 1),
    seed,
  ).map((v, i) => v * (i % 7 === 0 ? 6 : 0.2)), // uneven channels: 8 bits miss a high target
});

beforeAll(() => {
  const model = buildOnnx({
    inputs: { x: ['N', 'T', 6] },
    nodes: [
      ['MatMul', ['x', 'a'], ['h']],
      ['Relu', ['h'], ['r']],
      ['MatMul', ['r', 'b'], ['s']],
      ['Relu', ['s'], ['t']],
      ['MatMul', ['t', 'c'], ['y']],
    ],
    constants: [constant('a', [6, 16], 1), constant('b', [16, 16], 2), constant('c', [16, 5], 3)],
    outputs: ['y'],
  });
  writeFileSync(at('m.onnx'), model);
  writeFileSync(at('calib.npy'), npy('<f4', [24, 4, 6], Float32Array.from(values(576, 5))));
  const bytes = Uint8Array.from(values(576, 6), (v) => Math.floor((v + 1) * 127));
  writeFileSync(at('bytes.npy'), npy('|u1', [24, 4, 6], bytes));
});

const base = ['convert', 'm.onnx', '-o', 'm.sbm', '--calib', 'calib.npy', '--dim', 'T=4'];
const run = (...flags: readonly string[]): Summary => json<Summary>([...base, ...flags], dir);
const refused = (...args: readonly string[]): string => {
  const { code, stderr, stdout } = samebit(args, dir);
  expect(stdout).toBe('');
  expect(code).toBe(2);
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  return stderr;
};

describe('convert', () => {
  it('--calib takes one file, or name=FILE, of the shapes of the model', () => {
    const named = json<Summary>(['convert', 'm.onnx', '-o', 'n.sbm', '--calib', 'x=calib.npy', '--dim', 'T=4'], dir);
    expect(named.id).toBe(run().id);
    expect(refused('convert', 'm.onnx', '-o', 'n.sbm', '--calib', 'calib.npy', '--calib', 'x=calib.npy')).toContain(
      'UnnamedInput',
    );
    expect(refused('convert', 'm.onnx', '-o', 'n.sbm', '--calib', 'x=calib.npy', '--calib', 'x=calib.npy')).toContain(
      'TwiceGiven',
    );
  });

  it('--dim takes a value, or a range that stays symbolic', () => {
    expect(run('--dim', 'N=2').inputs[0]!.shape).toEqual([2, 4, 6]);
    expect(run('--dim', 'x[0]=3').inputs[0]!.shape).toEqual([3, 4, 6]);
    const both = json<Summary>([...base.slice(0, -2), '--dim', 'N=1..8', '--dim', 'T=2..4'], dir);
    expect(both.inputs[0]!.shape).toEqual(['N', 'T', 6]);
    expect(samebit(['info', 'm.sbm'], dir).stdout).toContain('symbol T: 2…4');
    for (const bad of ['N', 'N=0', 'N=-1', 'N=1.5', 'N=x', '=3', 'N=', 'N=0..4', 'N=5..4', 'N=..4', 'N=1..', 'N=1...4'])
      expect(refused(...base, '--dim', bad), bad).toContain('--dim');
    expect(refused(...base, '--dim', 'T=2..4')).toContain('T is given twice');
    const { code, stderr } = samebit([...base, '--dim', 'K=1..4'], dir);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no dimension "K": its dimensions are N, T')]);
  });

  it('--input-type, --mean and --std say what inputs take', () => {
    expect(run('--input-type', 'f32').inputs[0]!.dtype).toBe('i16');
    const u8 = ['convert', 'm.onnx', '-o', 'm.sbm', '--calib', 'bytes.npy', '--dim', 'T=4', '--input-type', 'u8'];
    const plain = json<Summary>(u8, dir);
    const normal = json<Summary>([...u8, '--mean', '127', '--std', '64'], dir);
    expect(plain.inputs[0]!.dtype).toBe('u8');
    expect(normal.id).not.toBe(plain.id);
    expect(json<Summary>([...u8, '--mean', '1,2,3,4,5,6', '--std', '2'], dir).id).not.toBe(normal.id);
    expect(refused(...base, '--input-type', 'f16')).toContain('u8, i8, i32, f32');
    for (const bad of ['x', '', '1,,2', '1;2', 'NaN', 'Infinity']) {
      expect(refused(...base, '--mean', bad), bad).toContain('--mean');
      expect(refused(...base, '--std', bad), bad).toContain('--std');
    }
    for (const flags of [
      ['--std', '0'],
      ['--std', '-1'],
      ['--mean', '1,2'],
      ['--input-type', 'i32'],
    ])
      expect(samebit([...base, ...flags], dir)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('BadOption'),
      });
  });

  it('--ranges chooses a method', () => {
    for (const method of ['minmax', 'mse']) expect(run('--ranges', method).tuning.ranges).toBe(method);
    expect(run('--ranges', 'percentile').tuning.ranges).toEqual({ percentile: 99.99 });
    expect(run('--ranges', 'auto', '--target', '80', '--budget', '1').id).toMatch(/^[0-9a-f]{64}$/);
    expect(refused(...base, '--ranges', 'best')).toContain('auto, minmax, mse, percentile');
  });

  it('--target and --budget widen tensors, as far as gas allows', () => {
    const [narrow, wide] = [run('--target', '0'), run('--target', '70', '--budget', '9')];
    expect(narrow.tuning.widened).toEqual([]);
    expect(wide.tuning.widened.length).toBeGreaterThan(0);
    expect(wide.gas).toBeGreaterThan(narrow.gas);
    expect(run('--target', '70', '--budget', '1').gas).toBeLessThanOrEqual(narrow.gas);
    const values = run('--target', '70', '--budget', '9', '--no-wide-weights');
    expect(new Set((values.tuning.widened as { what: string }[]).map((w) => w.what))).toEqual(new Set(['values']));
    for (const bad of ['x', '', '-1', 'Infinity'])
      expect(refused(...base, '--target', bad), bad).toContain('number from 0');
    for (const bad of ['x', '', '0.5', 'Infinity'])
      expect(refused(...base, '--budget', bad), bad).toContain('number from 1');
  });

  it('--weights i4 is for rows of 32 weights and more', () => {
    expect(run('--weights', 'i8').id).toBe(run().id);
    expect(run('--weights', 'i4').tuning.int4).toEqual([]);
    writeFileSync(
      at('wide.onnx'),
      buildOnnx({
        inputs: { x: ['N', 40] },
        nodes: [['MatMul', ['x', 'a'], ['y']]],
        constants: [constant('a', [40, 20], 1)],
        outputs: ['y'],
      }),
    );
    writeFileSync(at('wide.npy'), npy('<f4', [20, 40], Float32Array.from(values(800, 5))));
    const wide = ['convert', 'wide.onnx', '-o', 'wide.sbm', '--calib', 'wide.npy'];
    expect(json<Summary>([...wide, '--weights', 'i4'], dir).tuning.int4).toEqual([
      { name: 'MatMul_0', source: 'MatMul' },
    ]);
    expect(samebit([...wide, '--weights', 'i4'], dir).stdout).toContain('i4 weights in 1 of 1 layers');
    expect(refused(...base, '--weights', 'i2')).toContain('i8, i4');
  });

  it('--equalise, --no-fit-weights and --no-correct-bias change what is written', () => {
    const plain = run().id;
    expect(run('--no-fit-weights').id).not.toBe(plain);
    expect(run('--no-correct-bias').id).not.toBe(plain);
    expect(run('--equalise', '--target', '60').tuning.equalised.length).toBeGreaterThanOrEqual(0);
    expect(refused(...base, '--equalize')).toContain('--equalise');
    expect(refused(...base, '--no-fit-weight')).toContain('--no-fit-weights');
  });

  it('--report writes one HTML file, and overwrites no model', () => {
    run('--report', 'r.html');
    expect(readFileSync(at('r.html'), 'utf8')).toMatch(/^<!doctype html>.*What would help.*<\/html>\n$/s);
    expect(refused(...base, '--report', 'm.onnx')).toContain('SameFile');
    expect(refused(...base, '--report', 'm.sbm')).toContain('SameFile');
    expect(refused(...base, '--report', 'no/r.html')).toMatch(/no\/r.html|folder/);
    expect(refused(...base, '--report')).toContain('--report');
  });

  it('--json prints one object, and errors as one', () => {
    expect(run().layers.length).toBe(3);
    const { code, stderr } = samebit([...base, '--dim', 'N=x', '--json'], dir);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: expect.anything() });
  });
});

describe('inspect', () => {
  it('writes the graph of either kind of model', () => {
    run();
    expect(json<{ out: string }>(['inspect', 'm.sbm'], dir).out).toBe('m.html');
    expect(readFileSync(at('m.html'), 'utf8')).toContain('dense');
    expect(samebit(['inspect', 'm.onnx', '--out', 'o.html', '--dim', 'T=4'], dir)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(readFileSync(at('o.html'), 'utf8')).toContain('[1, 4, 16]');
    samebit(['inspect', 'm.onnx', '--out', 'p.html'], dir);
    expect(readFileSync(at('p.html'), 'utf8')).toContain('--dim T=VALUE');
    expect(refused('inspect', 'm.sbm', '--out', 'm.sbm')).toContain('SameFile');
    expect(refused('inspect', 'm.onnx', '--dim', 'T')).toContain('--dim');
    expect(samebit(['inspect', 'calib.npy', '--out', 'q.html'], dir).code).toBe(1);
    expect(existsSync(at('q.html'))).toBe(false);
  });
});
