/** What a user sees when something is wrong: exit code, family, code, next step; no stack trace, no output file. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildOnnx } from '../onnx/build.ts';
import { Prng } from '../support/prng.ts';
import { bytes, convertDigits, example, folder, json, npy, type Outcome, samebit, saveTensor } from './samebit.ts';

const dir = folder();
const at = (name: string): string => join(dir, name);
let gas = 0;
/** Flags of a bot: a port on which no node listens, an address and a key. */
const RPC = '--rpc http://127.0.0.1:9';
const BOT = `--key @/key --dispute 0x${'12'.repeat(20)}`;

function save(name: string, data: Uint8Array | string): void {
  writeFileSync(at(name), data);
}

beforeAll(() => {
  convertDigits(at('digits.sbm'));
  gas = json<{ gas: Record<string, number> }>(['info', at('digits.sbm')]).gas['1']!;
  const sbm = bytes(at('digits.sbm'));
  const onnx = bytes(example('mnist/model.onnx'));
  const random = new Prng(5).fill(new Uint8Array(5000), 0, 255);
  save('empty', '');
  save('key', '11'.repeat(32));
  save('random', random);
  save('cut.sbm', sbm.subarray(0, 60000));
  save('longer.sbm', new Uint8Array([...sbm, 0]));
  save(
    'flipped.sbm',
    sbm.map((b, i) => (i === 40 ? b ^ 255 : b)),
  );
  save('cut.onnx', onnx.subarray(0, 200000));
  save(
    'lost-op.onnx',
    buildOnnx({
      inputs: { x: [1, 4] },
      constants: [],
      nodes: [
        ['Relu', ['x'], ['h']],
        ['NonZero', ['h'], ['y']],
      ],
      outputs: ['y'],
    }),
  );
  const image = new Uint8Array(784);
  saveTensor(at('i8.npy'), { dtype: 'i8', shape: [1, 28, 28, 1], data: new Int8Array(784) });
  saveTensor(at('small.npy'), { dtype: 'u8', shape: [1, 27, 28, 1], data: new Uint8Array(27 * 28) });
  saveTensor(at('image.npy'), { dtype: 'u8', shape: [1, 28, 28, 1], data: image });
  save('cut.npy', bytes(at('image.npy')).subarray(0, 500));
  save('fortran.npy', npy('|u1', [28, 28], image, true));
  save('big-endian.npy', npy('>f4', [28, 28], new Float32Array(784)));
  save('nan.npy', npy('<f4', [28, 28], new Float32Array(784).fill(Number.NaN)));
  mkdirSync(at('out'));
  convertNarrow();
});

/** A model whose i32 input has a narrow interval, by way of the library's own format. */
function convertNarrow(): void {
  const script = `import { encodeModel } from ${JSON.stringify(new URL('../../dist/format.js', import.meta.url).href)};
    import { writeFileSync } from 'node:fs';
    writeFileSync(process.argv[1], encodeModel({ symbols: [], constants: [], states: [],
      inputs: [{ name: 'token', dtype: 'i32', shape: [4], zp: 0, lo: 0, hi: 99 }],
      nodes: [{ op: 'reshape', inputs: [0], attrs: { shape: [2, 2] } }], outputs: [{ name: 'y', tensor: 1 }] }));`;
  const child = spawnNode(['--input-type=module', '-e', script, at('narrow.sbm')]);
  expect(child.stderr).toBe('');
  saveTensor(at('tokens.npy'), { dtype: 'i32', shape: [4], data: Int32Array.of(0, 1, 100, 3) });
}

function spawnNode(args: readonly string[]): { stderr: string } {
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { stderr };
}

/** Arguments, exit code, family and code of one mistake. `@` stands for the folder of the test. */
const CASES: readonly (readonly [what: string, args: string, exit: number, error: string])[] = [
  ['an empty model', 'info @/empty', 1, 'ModelError Truncated'],
  ['random bytes as a model', 'info @/random', 1, 'ModelError'],
  ['a truncated model', 'run @/cut.sbm --input @/image.npy', 1, 'ModelError Truncated'],
  ['a model with a byte more', 'verify @/longer.sbm', 1, 'ModelError'],
  ['a model with a flipped byte', 'info @/flipped.sbm', 1, 'ModelError'],
  ['an empty ONNX file', 'convert @/empty -o @/out/m.sbm', 1, 'ImportError Empty'],
  ['random bytes as ONNX', 'convert @/random -o @/out/m.sbm', 1, 'ImportError'],
  ['a truncated ONNX file', 'convert @/cut.onnx -o @/out/m.sbm', 1, 'ImportError Truncated'],
  ['an .sbm file as ONNX', 'convert @/digits.sbm -o @/out/m.sbm', 1, 'ImportError'],
  [
    'an op that is not supported',
    'convert @/lost-op.onnx -o @/out/m.sbm --calib @/image.npy',
    1,
    'ImportError UnsupportedOp',
  ],
  [
    'no calibration samples',
    `convert ${example('mnist/model.onnx')} -o @/out/m.sbm`,
    1,
    'ImportError NeedsCalibration',
  ],
  [
    'samples of another shape',
    `convert ${example('mnist/model.onnx')} -o @/out/m.sbm --calib @/small.npy`,
    1,
    'ImportError BadSamples',
  ],
  [
    'samples that are no array',
    `convert ${example('mnist/model.onnx')} -o @/out/m.sbm --calib @/random`,
    1,
    'FileError NotNpy',
  ],
  [
    'a means for the wrong number of channels',
    `convert ${example('mnist/model.onnx')} -o @/out/m.sbm --calib ${example('mnist/calib.npy')} --mean 1,2`,
    2,
    'ImportError BadOption',
  ],
  [
    'samples of an input that the model lacks',
    `convert ${example('mnist/model.onnx')} -o @/out/m.sbm --calib foo=${example('mnist/calib.npy')}`,
    2,
    'ImportError BadOption',
  ],
  ['a truncated array', 'run @/digits.sbm --input @/cut.npy', 1, 'FileError Truncated'],
  ['an array in Fortran order', 'run @/digits.sbm --input @/fortran.npy', 1, 'FileError Unsupported'],
  ['a big-endian array', 'run @/digits.sbm --input @/big-endian.npy', 1, 'FileError Unsupported'],
  ['an input of another dtype', 'run @/digits.sbm --input @/i8.npy', 1, 'InputError WrongDType'],
  ['an input of another shape', 'run @/digits.sbm --input @/small.npy', 1, 'InputError WrongShape'],
  ['an input that is not a number', 'run @/digits.sbm --input @/nan.npy', 1, 'InputError OutOfRange'],
  ['an input out of range', 'run @/narrow.sbm --input @/tokens.npy', 1, 'InputError OutOfRange'],
  ['no input', 'run @/digits.sbm', 1, 'InputError MissingInput'],
  ['an input that the model lacks', 'run @/digits.sbm --input image=@/image.npy', 1, 'InputError UnknownInput'],
  ['one gas too little', 'run @/digits.sbm --input @/image.npy --gas-limit GAS-1', 1, 'OutOfGas GasLimit'],
  ['a missing model', 'info @/nothing.sbm', 2, 'UsageError ENOENT'],
  ['a bot with no URL', `assert @/digits.sbm --rpc nowhere ${BOT}`, 2, 'UsageError NoNode'],
  ['a bot with no address', `watch @/digits.sbm ${RPC} --dispute 0x12 --key @/key`, 2, 'UsageError NoContract'],
  ['a bot with no key', `watch @/digits.sbm ${RPC} ${BOT.replace('@/key', '@/empty')}`, 2, 'UsageError NoKey'],
  ['a bot with no model', `assert @/nothing.sbm ${RPC} ${BOT}`, 2, 'UsageError ENOENT'],
  ['a bot with a wrong input', `assert @/digits.sbm --input @/small.npy ${RPC} ${BOT}`, 1, 'InputError WrongShape'],
  ['a bot without a node', `watch @/digits.sbm --input @/image.npy ${RPC} ${BOT}`, 2, 'UsageError NoNode'],
  ['a missing array', 'run @/digits.sbm --input @/nothing.npy', 2, 'UsageError ENOENT'],
  ['a folder as a model', 'info @/out', 2, 'UsageError EISDIR'],
  [
    'a folder that is missing for the output',
    `convert ${example('mnist/model.onnx')} -o @/no/m.sbm --calib ${example('mnist/calib.npy')}`,
    2,
    'UsageError ENOENT',
  ],
  ['the output over the input', 'convert @/lost-op.onnx -o @/lost-op.onnx', 2, 'UsageError SameFile'],
  ['an ONNX file where a model belongs', `info ${example('mnist/model.onnx')}`, 2, 'UsageError NotSbm'],
  [
    'a sample that the file does not hold',
    `run @/digits.sbm --input ${example('mnist/test.npy')} --index 2000`,
    2,
    'UsageError NoSuchSample',
  ],
  ['no command', '', 2, 'UsageError'],
  ['an unknown command', 'transmogrify', 2, 'UsageError'],
  ['an unknown option', 'info @/digits.sbm --speed', 2, 'UsageError'],
  ['a missing argument', 'info', 2, 'UsageError'],
  ['a missing -o', 'convert @/lost-op.onnx', 2, 'UsageError'],
  ['an unknown backend', 'run @/digits.sbm --input @/image.npy --backend abacus', 2, 'UsageError'],
  ['no threads', 'run @/digits.sbm --input @/image.npy --backend wasm:0', 2, 'UsageError'],
  ['too many threads', 'bench @/digits.sbm --backends wasm,wasm:33', 2, 'UsageError'],
  ['threads of a backend that has none', 'verify @/digits.sbm --backends wasm,reference:2', 2, 'UsageError'],
  ['a count that is no number', 'verify @/digits.sbm --runs many', 2, 'UsageError'],
  ['a dimension without a value', 'convert @/lost-op.onnx -o @/out/m.sbm --dim N', 2, 'UsageError'],
];

function command(args: string): string[] {
  return args
    .split(' ')
    .filter((a) => a !== '')
    .map((a) => a.replace('@', dir).replace('GAS-1', String(gas - 1)));
}

describe.each(CASES)('%s', (_, args, exit, error) => {
  it(`exits with ${exit} and says ${error}`, () => {
    const before = readdirSync(dir).sort();
    const seen: Outcome = samebit(command(args));
    expect(seen.code, seen.stderr).toBe(exit);
    expect(seen.stdout).toBe('');
    expect(seen.stderr).toContain(`${error}`);
    expect(seen.stderr).toMatch(/\n {2}next: .+\n$/);
    expect(seen.stderr).not.toMatch(/\n\s+at /);
    expect(seen.stderr).not.toContain('Bug');
    expect(readdirSync(dir).sort()).toEqual(before);
    expect(readdirSync(at('out'))).toEqual([]);
  });

  it('says the same in JSON', () => {
    const seen = samebit([...command(args), '--json']);
    expect([seen.code, seen.stdout]).toEqual([exit, '']);
    const { error: e } = JSON.parse(seen.stderr) as { error: Record<string, string> };
    expect(`${e.family} ${e.code}`).toContain(error);
    expect(e.hint).not.toBe('');
  });
});

it('names node and op of what is not supported', () => {
  const { stderr } = samebit(['convert', at('lost-op.onnx'), '-o', at('out/m.sbm'), '--json']);
  expect(JSON.parse(stderr)).toMatchObject({ error: { node: 'NonZero_1', op: 'NonZero' } });
});

it('names the inputs there are where samples are for another', () => {
  const samples = `foo=${example('mnist/calib.npy')}`;
  const { stderr } = samebit(['convert', example('mnist/model.onnx'), '-o', at('out/m.sbm'), '--calib', samples]);
  expect(stderr).toContain('there are samples for foo, which is no input of the model (expected input, got foo)');
});

it('keeps the file that stands at the output when a conversion fails', () => {
  save('kept.sbm', 'old');
  expect(samebit(['convert', at('cut.onnx'), '-o', at('kept.sbm')]).code).toBe(1);
  expect(Buffer.from(bytes(at('kept.sbm'))).toString()).toBe('old');
  expect(existsSync(at('.kept.sbm.tmp'))).toBe(false);
});

it('shows names from a file without their control characters', () => {
  const name = '\u001b[31mred\u202e\n';
  save(
    'evil.onnx',
    buildOnnx({ inputs: { [name]: [1, 4] }, constants: [], nodes: [[name, [name], [name]]], outputs: [name] }),
  );
  for (const flags of [[], ['--calib', at('image.npy')]]) {
    const { code, stderr } = samebit(['convert', at('evil.onnx'), '-o', at('out/m.sbm'), ...flags]);
    expect(code).toBe(1);
    expect(stderr).toContain('red');
    expect(stderr.split('\n')).toHaveLength(3);
    for (const c of ['\u001b', '\u202e']) expect(stderr).not.toContain(c);
  }
});
