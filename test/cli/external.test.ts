/** `samebit convert` and `eval` of models whose weights lie in files beside them. */
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, folder, npy, samebit } from './samebit.ts';

/** A protobuf field: an integer, or bytes behind their length. All lengths here are below 16,384. */
function field(number: number, value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'number') return Uint8Array.of(number << 3, value);
  const body = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Uint8Array.of((number << 3) | 2, ...length, ...body);
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((f) => [...f]));
}

const WEIGHTS = Float32Array.of(1, -2, 0.5, 3, -1, 0.25);

function value(name: string, ...dims: readonly number[]): Uint8Array {
  const shape = message(...dims.map((d) => field(1, message(field(1, d)))));
  return message(field(1, name), field(2, message(field(1, message(field(1, 1), field(2, shape))))));
}

/** y = x·w with w of shape [3, 2]: inside the file, or at byte 4 of the file `location`. */
function matmul(location?: string): Uint8Array {
  const entry = (k: string, v: string): Uint8Array => field(13, message(field(1, k), field(2, v)));
  const data =
    location === undefined
      ? [field(9, new Uint8Array(WEIGHTS.buffer))]
      : [entry('location', location), entry('offset', '4'), entry('length', '24'), field(14, 1)];
  const w = message(field(1, 3), field(1, 2), field(2, 1), field(8, 'w'), ...data);
  const node = message(field(1, 'x'), field(1, 'w'), field(2, 'y'), field(3, 'n'), field(4, 'MatMul'));
  const graph = message(
    field(1, node),
    field(2, 'g'),
    field(5, w),
    field(11, value('x', 1, 3)),
    field(12, value('y', 1, 2)),
  );
  return message(field(1, 8), field(7, graph), field(8, message(field(2, 17))));
}

/** Weight file: four bytes of something else, then the weights. */
const FILE: Uint8Array = Uint8Array.of(9, 9, 9, 9, ...new Uint8Array(WEIGHTS.buffer));

/** A folder model/ with the model and its samples, and the path of the output. */
function setup(model: Uint8Array): { readonly dir: string; readonly convert: () => ReturnType<typeof samebit> } {
  const dir = join(folder(), 'model');
  mkdirSync(dir);
  writeFileSync(join(dir, 'm.onnx'), model);
  writeFileSync(join(dir, 'calib.npy'), npy('<f4', [2, 3], Float32Array.of(1, 2, 3, -1, 0, 1)));
  return {
    dir,
    convert: () => samebit(['convert', 'm.onnx', '-o', 'm.sbm', '--calib', 'calib.npy', '--json'], dir),
  };
}

describe('external data', () => {
  it('gives the same model as weights inside the file', () => {
    const inside = setup(matmul());
    expect(inside.convert()).toMatchObject({ code: 0, stderr: '' });
    for (const location of ['w.bin', 'data/w.bin']) {
      const { dir, convert } = setup(matmul(location));
      mkdirSync(join(dir, 'data'));
      writeFileSync(join(dir, location), FILE);
      expect(convert()).toMatchObject({ code: 0, stderr: '' });
      expect(bytes(join(dir, 'm.sbm'))).toEqual(bytes(join(inside.dir, 'm.sbm')));
    }
  });

  it('counts as bytes of the ONNX file', () => {
    const { dir, convert } = setup(matmul('w.bin'));
    writeFileSync(join(dir, 'w.bin'), FILE);
    const { onnxBytes } = JSON.parse(convert().stdout) as { onnxBytes: number };
    expect(onnxBytes).toBe(statSync(join(dir, 'm.onnx')).size + FILE.length);
  });

  it('is read by eval too', () => {
    const { dir, convert } = setup(matmul('w.bin'));
    writeFileSync(join(dir, 'w.bin'), FILE);
    expect(convert()).toMatchObject({ code: 0 });
    const args = ['eval', 'm.sbm', '--onnx', 'm.onnx', '--inputs', 'calib.npy', '--json'];
    const { code, stdout, stderr } = samebit(args, dir);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { samples, outputs } = JSON.parse(stdout) as { samples: number; outputs: { cosine: number }[] };
    expect(samples).toBe(2);
    expect(outputs[0]!.cosine).toBeGreaterThan(0.999);
    rmSync(join(dir, 'w.bin'));
    expect(samebit(args, dir)).toMatchObject({ code: 1, stdout: '' });
  });

  it('follows a link that stays inside', () => {
    const { dir, convert } = setup(matmul('link.bin'));
    writeFileSync(join(dir, 'w.bin'), FILE);
    symlinkSync('w.bin', join(dir, 'link.bin'));
    expect(convert()).toMatchObject({ code: 0, stderr: '' });
  });

  const refused = (name: string, location: string, code: string, prepare: (dir: string) => void): void =>
    it(`refuses ${name}`, () => {
      const { dir, convert } = setup(matmul(location));
      prepare(dir);
      const { code: exit, stdout, stderr } = convert();
      expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
      expect(stderr).toContain(`"${code}"`);
      expect(() => statSync(join(dir, 'm.sbm'))).toThrow();
    });

  const outside = (dir: string): void => writeFileSync(join(dir, '../w.bin'), FILE);
  refused('a file that is not there', 'w.bin', 'ExternalData', () => {});
  refused('a path upwards', '../w.bin', 'ExternalPath', outside);
  refused('an absolute path', '/w.bin', 'ExternalPath', outside);
  refused('a link out of the folder', 'w.bin', 'ExternalPath', (dir) => {
    outside(dir);
    symlinkSync('../w.bin', join(dir, 'w.bin'));
  });
  refused('a linked folder that leads out', 'data/w.bin', 'ExternalPath', (dir) => {
    outside(dir);
    symlinkSync('..', join(dir, 'data'));
  });
  refused('a folder', 'data', 'ExternalData', (dir) => mkdirSync(join(dir, 'data')));
  refused('a range beyond the file', 'w.bin', 'BadTensor', (dir) =>
    writeFileSync(join(dir, 'w.bin'), FILE.subarray(1)),
  );
});
