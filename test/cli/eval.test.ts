/** `samebit eval` and `samebit bench` on the built command line. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/cli/npy.ts';
import { buildOnnx, type ModelSpec } from '../onnx/build.ts';
import { bytes, convertDigits, example, folder, json, npy, samebit, saveTensor } from './samebit.ts';

interface Result {
  readonly samples: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly sqnrDb: number;
    readonly cosine: number;
    readonly maxAbsError: number;
  }[];
  readonly top1?: number;
  readonly floatTop1?: number;
  readonly agreement?: number;
  readonly warnings: readonly string[];
}

const dir = folder();
const credit = join(dir, 'credit.sbm');
const digits = join(dir, 'digits.sbm');
const creditFile = (name: string): string => example(`german-credit/${name}`);
const digitsFile = (name: string): string => example(`mnist/${name}`);
const creditArgs = ['eval', credit, '--onnx', creditFile('model.onnx'), '--inputs', creditFile('test.npy')];
const digitsArgs = ['eval', digits, '--onnx', digitsFile('model.onnx'), '--inputs', digitsFile('test.npy')];

beforeAll(() => {
  samebit(['convert', creditFile('model.onnx'), '-o', credit, '--calib', creditFile('calib.npy')]);
  convertDigits(digits);
});

describe('eval', () => {
  const labelled = [...creditArgs, '--labels', creditFile('labels.npy')];

  it('german-credit: as right as the float model, against its own interpreter and the stored outputs', () => {
    const own = json<Result>(labelled);
    expect(own.samples).toBe(250);
    expect(own.floatTop1).toBe(191 / 250);
    expect(own.top1! * 250).toBeGreaterThanOrEqual(189);
    expect(own.agreement).toBeGreaterThanOrEqual(0.97);
    expect(own.outputs.map((o) => o.name)).toEqual(['p_bad']);
    expect(own.outputs[0]!.sqnrDb).toBeGreaterThan(34);
    expect(own.outputs[0]!.cosine).toBeGreaterThan(0.999);
    expect(own.outputs[0]!.maxAbsError).toBeLessThan(0.05);
    const stored = json<Result>([...labelled, '--reference', creditFile('float_outputs.npy')]);
    expect(stored).toMatchObject({ samples: 250, top1: own.top1, floatTop1: own.floatTop1, agreement: own.agreement });
    expect(stored.outputs[0]!.sqnrDb).toBeCloseTo(own.outputs[0]!.sqnrDb, 2);
  });

  it('mnist: bytes take the normalisation that the model declares, or the one that is given', () => {
    const own = json<Result>([...digitsArgs, '--limit', '5', '--labels', digitsFile('labels.npy')]);
    expect(own).toMatchObject({ samples: 5, top1: 1, floatTop1: 1, agreement: 1, warnings: [] });
    expect(own.outputs[0]!.sqnrDb).toBeGreaterThan(30);
    const stored = json<Result>([...digitsArgs, '--limit', '5', '--reference', digitsFile('float_outputs.npy')]);
    expect(stored.outputs[0]!.sqnrDb).toBeCloseTo(own.outputs[0]!.sqnrDb, 2);
    expect(stored.top1).toBeUndefined();
    expect(json<Result>([...digitsArgs, '--limit', '5', '--std', '255']).outputs[0]!.sqnrDb).toBeCloseTo(
      own.outputs[0]!.sqnrDb,
      2,
    );
  });

  it('floats of a u8 input are normalised already', () => {
    const { data } = readNpy(bytes(digitsFile('test.npy')));
    const floats = Float32Array.from(data.subarray(0, 3 * 784), (v) => v / 255);
    const path = join(dir, 'floats.npy');
    writeFileSync(path, npy('<f4', [3, 1, 28, 28], floats));
    const args = ['eval', digits, '--onnx', digitsFile('model.onnx'), '--inputs', `input=${path}`];
    const result = json<Result>(args);
    const raw = json<Result>([...digitsArgs, '--limit', '3']);
    expect(result.samples).toBe(3);
    expect(result.outputs[0]!.sqnrDb).toBeCloseTo(raw.outputs[0]!.sqnrDb, 3);
  });

  it('a shorter label file limits the samples and says so', () => {
    const labels = saveTensor(join(dir, 'ten.npy'), { dtype: 'u8', shape: [10], data: new Uint8Array(10) });
    const { code, stdout, stderr } = samebit([...creditArgs, '--labels', labels, '--json']);
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as Result;
    expect(result.samples).toBe(10);
    expect(result.warnings).toEqual(['the label file has 10 rows for 250 samples: only these are compared']);
    expect(stderr).toBe('warning: the label file has 10 rows for 250 samples: only these are compared\n');
  });

  it('prints a table', () => {
    const { code, stdout } = samebit([...labelled, '--limit', '20']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/output +SQNR dB +cosine +largest error\n +p_bad/);
    expect(stdout).toContain('20 samples');
  });

  it('names what does not fit', () => {
    const failure = (args: readonly string[]): { code: number | null; error: string } => {
      const { code, stderr } = samebit([...args, '--json']);
      return { code, error: (JSON.parse(stderr) as { error: { code: string } }).error.code };
    };
    expect(failure(['eval', credit, '--inputs', creditFile('test.npy')])).toMatchObject({ code: 2 });
    expect(failure([...creditArgs, '--reference', `q=${creditFile('float_outputs.npy')}`])).toEqual({
      code: 2,
      error: 'UnknownName',
    });
    expect(failure([...digitsArgs.slice(0, -1), creditFile('test.npy')])).toEqual({ code: 1, error: 'BadSamples' });
    const wrong = ['eval', credit, '--onnx', digitsFile('model.onnx'), '--inputs', digitsFile('test.npy')];
    expect(failure(wrong)).toEqual({ code: 1, error: 'MissingInput' });
    const odd = join(dir, 'odd.npy');
    writeFileSync(odd, writeNpy({ dtype: 'u8', shape: [7], data: new Uint8Array(7) }));
    expect(failure([...digitsArgs, '--reference', odd])).toEqual({ code: 1, error: 'WrongShape' });
  });
});

describe('what eval compares with', () => {
  const labels = (name: string, shape: readonly number[], values: readonly number[]): string[] => {
    writeFileSync(join(dir, name), npy('<f4', shape, Float32Array.from(values)));
    return [...digitsArgs, '--limit', '2', '--labels', join(dir, name)];
  };
  const reference = (name: string, shape: readonly number[], value: number): string[] => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0);
    data[data.length - 1] = value;
    writeFileSync(join(dir, name), npy('<f4', shape, data));
    return [...digitsArgs, '--limit', '2', '--reference', join(dir, name)];
  };

  it('a reference of zeros is no signal, and what equals it is exact', () => {
    const zeros = reference('zeros.npy', [2, 10], 0);
    const [output] = json<Result>(zeros).outputs;
    expect(output!.sqnrDb).toBeNull();
    expect(output!.maxAbsError).toBeGreaterThan(0);
    expect(samebit(zeros).stdout).toMatch(/output +no signal +0\.000000/);
    const { outputs } = json<{ outputs: { real: number[] }[] }>(['run', digits, '--input', digitsFile('test.npy')]);
    const same = join(dir, 'same.npy');
    writeFileSync(same, npy('<f8', [1, 10], Float64Array.from(outputs[0]!.real)));
    const args = [...digitsArgs, '--limit', '1', '--reference', same];
    expect(json<Result>(args).outputs[0]).toMatchObject({ sqnrDb: null, maxAbsError: 0 });
    expect(samebit(args).stdout).toMatch(/output +exact +1\.000000/);
  });

  const REFUSED: readonly (readonly [what: string, args: () => string[], error: string])[] = [
    ['a reference with NaN', () => reference('nan.npy', [2, 10], Number.NaN), 'NotFinite'],
    ['a reference with infinity', () => reference('inf.npy', [2, 10], Number.POSITIVE_INFINITY), 'NotFinite'],
    ['a reference of another width', () => reference('wide.npy', [2000, 11], 1), 'WrongShape'],
    ['a reference that is transposed', () => reference('turned.npy', [10, 20], 1), 'WrongShape'],
    ['an empty reference', () => reference('none.npy', [0, 10], 1), 'WrongShape'],
    ['two labels a sample', () => labels('two.npy', [2, 2], [1, 1, 1, 1]), 'WrongShape'],
    ['a label that is NaN', () => labels('nans.npy', [2], [1, Number.NaN]), 'NotFinite'],
    ['a label between two classes', () => labels('half.npy', [2], [1, 1.5]), 'BadLabel'],
    ['a negative label', () => labels('minus.npy', [2], [1, -1]), 'BadLabel'],
    ['a label beyond the classes', () => labels('ten.npy', [2], [9, 10]), 'BadLabel'],
  ];
  it.each(REFUSED)('%s is refused', (_, args, code) => {
    const { code: exit, stdout, stderr } = samebit([...args(), '--json']);
    expect([exit, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { family: 'InputError', code } });
  });

  it('a float model that gives NaN is refused', () => {
    const at = (name: string, data: Uint8Array): string => {
      writeFileSync(join(dir, name), data);
      return join(dir, name);
    };
    const nodes: ModelSpec['nodes'] = [['Sqrt', ['x'], ['y']]];
    const onnx = at('sqrt.onnx', buildOnnx({ inputs: { x: [1, 2] }, constants: [], nodes, outputs: ['y'] }));
    const calib = at('roots.npy', npy('<f4', [2, 2], Float32Array.of(0, 1, 2, 3)));
    const below = at('below.npy', npy('<f4', [1, 2], Float32Array.of(1, -3)));
    const sbm = join(dir, 'sqrt.sbm');
    expect(samebit(['convert', onnx, '-o', sbm, '--calib', calib])).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = samebit(['eval', sbm, '--onnx', onnx, '--inputs', below]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "InputError NotFinite: the float model's output y for sample 0 holds no finite float at value 1: NaN",
    );
  });

  it('a single probability takes labels 0 and 1', () => {
    const run = (label: number): number | null => {
      const path = saveTensor(join(dir, 'p.npy'), { dtype: 'u8', shape: [2, 1], data: Uint8Array.of(0, label) });
      return samebit([...creditArgs, '--labels', path]).code;
    };
    expect([run(1), run(2)]).toEqual([0, 1]);
  });
});

describe('bench', () => {
  it('gives the median, the ends and the rate of each backend', () => {
    const result = json<{
      runs: number;
      backends: { name: string; ms: number; min: number; max: number; gmacs: number }[];
    }>(['bench', digits, '--runs', '3', '--backends', 'wasm,wasm:2,reference']);
    expect(result.runs).toBe(3);
    expect(result.backends.map((b) => b.name)).toEqual(['wasm', 'wasm:2', 'reference']);
    for (const b of result.backends) {
      expect(b.min).toBeLessThanOrEqual(b.ms);
      expect(b.ms).toBeLessThanOrEqual(b.max);
      expect(b.gmacs).toBeGreaterThan(0);
    }
  });
});
