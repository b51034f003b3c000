/** The validator of profiles: a module for every rule that it breaks, and bytes that are no module. */
import { describe, expect, it, vi } from 'vitest';
import { block, name, u32 } from '../../src/compile/binary.ts';
import { inspect } from '../../src/compile/inspect.ts';
import { HOSTS, type Host, validateProfile } from '../../src/compile/validate-profile.ts';
import { toWasm } from '../../src/compile/wasm.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';

const [I32, I64, F32, V128] = [0x7f, 0x7e, 0x7d, 0x7b];

interface Pieces {
  readonly params?: readonly number[];
  readonly results?: readonly number[];
  readonly locals?: readonly (readonly [count: number, type: number])[];
  readonly code?: readonly number[];
  readonly memory?: readonly number[];
  readonly imports?: readonly (readonly number[])[];
  readonly global?: readonly number[];
  readonly exports?: readonly (readonly number[])[];
  readonly start?: boolean;
  readonly dataCount?: boolean;
  readonly data?: readonly number[];
  readonly table?: readonly number[];
}

/** A module of one function. */
function module(p: Pieces): Uint8Array<ArrayBuffer> {
  const section = (id: number, items: readonly (readonly number[])[]): number[] =>
    items.length === 0 ? [] : [id, ...block([...u32(items.length), ...items.flat()])];
  const one = (v: readonly number[] | undefined): (readonly number[])[] => (v === undefined ? [] : [v]);
  const body = [
    ...u32(p.locals?.length ?? 0),
    ...(p.locals ?? []).flatMap(([n, type]) => [...u32(n), type]),
    ...(p.code ?? []),
    0x0b,
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, ...block(p.params ?? []), ...block(p.results ?? [])]]),
    ...section(2, p.imports ?? []),
    ...section(3, [[0]]),
    ...section(4, one(p.table)),
    ...section(5, [p.memory ?? [1, 1, 1]]),
    ...section(6, one(p.global)),
    ...section(7, p.exports ?? []),
    ...(p.start ? [8, 1, 0] : []),
    ...(p.dataCount ? [12, 1, 1] : []),
    ...section(10, [block(body)]),
    ...section(11, one(p.data)),
  ]);
}

const ZERO = [0x41, 0];
const simd = { code: [0xfd, 12, ...new Array<number>(16).fill(0), 0x1a] };
const floats = { code: [0x43, 0, 0, 0, 0, 0x1a] };

/** Each breaks one rule of each of some hosts: what they say must hold the word. */
const CASES: readonly (readonly [what: string, pieces: Pieces, word: RegExp, refusedBy: readonly Host[]])[] = [
  ['vectors', simd, /simd/, ['mvp', 'cosmwasm', 'stylus', 'near', 'soroban']],
  ['a vector in a variable', { locals: [[1, V128]] }, /simd/, ['mvp', 'cosmwasm', 'stylus', 'near', 'soroban']],
  ['floats', floats, /floats/, ['mvp', 'simd128', 'stylus', 'soroban']],
  ['a float in a type', { params: [F32] }, /floats/, ['mvp', 'simd128', 'stylus', 'soroban']],
  [
    'floats in vectors',
    { code: [...simd.code.slice(0, 18), 0xfd, 0xe0, 1, 0x1a] },
    /floats/,
    ['mvp', 'simd128', 'stylus', 'soroban'],
  ],
  [
    'saturating conversions',
    { code: [0x43, 0, 0, 0, 0, 0xfc, 0, 0x1a] },
    /saturating/,
    ['mvp', 'simd128', 'cosmwasm', 'near', 'soroban'],
  ],
  ['sign extension', { code: [...ZERO, 0xc0, 0x1a] }, /sign-extension/, ['mvp']],
  [
    'copies of memory',
    { code: [...ZERO, ...ZERO, ...ZERO, 0xfc, 10, 0, 0] },
    /bulk-memory/,
    ['mvp', 'cosmwasm', 'near'],
  ],
  ['passive data', { dataCount: true, data: [1, 1, 0] }, /bulk-memory/, ['mvp', 'cosmwasm', 'near']],
  [
    'references',
    { code: [0xd0, 0x70, 0x1a] },
    /reference-types/,
    ['mvp', 'simd128', 'cosmwasm', 'stylus', 'near', 'soroban'],
  ],
  [
    'a table of references',
    { table: [0x6f, 0, 0] },
    /reference-types/,
    ['mvp', 'simd128', 'cosmwasm', 'stylus', 'near', 'soroban'],
  ],
  [
    'two results',
    { results: [I32, I32], code: [...ZERO, ...ZERO] },
    /multi-value/,
    ['mvp', 'simd128', 'cosmwasm', 'stylus', 'near', 'soroban'],
  ],
  ['tail calls', { code: [0x12, 0] }, /tail-calls/, HOSTS],
  ['atomics', { code: [0xfe, 3, 0] }, /atomics/, HOSTS],
  ['a shared memory', { memory: [3, 1, 1] }, /atomics/, HOSTS],
  [
    'a global that is exported and set',
    { global: [I32, 1, ...ZERO, 0x0b], exports: [[...name('g'), 3, 0]] },
    /mutable-globals/,
    ['mvp'],
  ],
  ['101 variables', { params: [I32], locals: [[100, I64]] }, /variables.*101/, ['mvp', 'cosmwasm']],
  ['an import', { imports: [[...name('a'), ...name('b'), 0, 0]] }, /imports: 1/, ['mvp', 'simd128']],
  ['a start function', { start: true }, /start/, ['mvp', 'simd128', 'stylus']],
  ['101 parameters', { params: new Array<number>(101).fill(I32) }, /^parameters of a function: 101/, ['cosmwasm']],
  ['a table of 2,501', { table: [0x70, 1, 0, ...u32(2501)] }, /elements of tables: 2501/, ['cosmwasm']],
  ['a table of 4,097', { table: [0x70, 1, 0, ...u32(4097)] }, /elements of tables: 4097/, ['cosmwasm', 'stylus']],
  ['a table without a limit', { table: [0x70, 0, 0] }, /elements of tables/, ['cosmwasm', 'stylus']],
  [
    '101 imports',
    { imports: new Array(101).fill([...name('a'), ...name('b'), 0, 0]) },
    /imports: 101/,
    ['mvp', 'simd128', 'cosmwasm'],
  ],
  [
    '30,000 bytes at random',
    {
      data: [
        0,
        ...ZERO,
        0x0b,
        ...block(
          Array.from(
            { length: 30_000 },
            (
              (r) => () =>
                r.below(256)
            )(new Prng(4)),
          ),
        ),
      ],
    },
    /after brotli: 30\d\d\d, at most 24572/,
    ['stylus'],
  ],
  ['a memory that grows', { memory: [1, 1, 2] }, /grows/, ['mvp', 'simd128']],
  ['a memory without a limit', { memory: [0, 1] }, /grows/, ['mvp', 'simd128']],
  ['129 pages', { memory: [1, ...u32(129), ...u32(129)] }, /pages/, ['stylus']],
  ['513 pages', { memory: [1, ...u32(513), ...u32(513)] }, /pages/, ['stylus', 'cosmwasm']],
  [
    '128 KiB',
    { data: [0, ...ZERO, 0x0b, ...block(new Array<number>(131072).fill(1))], memory: [1, 3, 3] },
    /bytes/,
    ['stylus'],
  ],
];

describe('rules', () => {
  it.each(CASES)('%s', (_, pieces, word, refusedBy) => {
    const bytes = module(pieces);
    for (const host of HOSTS) {
      const broken = validateProfile(bytes, host).filter((b) => word.test(b));
      expect(broken.length > 0, `${host}: ${broken}`).toBe(refusedBy.includes(host));
    }
  });

  it('the modules are modules, and plain ones break no rule', () => {
    const plain = module({ locals: [[100, I64]] });
    for (const host of HOSTS) expect(validateProfile(plain, host)).toEqual([]);
    for (const [what, pieces] of CASES) expect(WebAssembly.validate(module(pieces)), what).toBe(true);
  });

  it('figures of a module', () => {
    const found = inspect(
      module({ locals: [[3, I64]], exports: [[...name('f'), 0, 0]], data: [0, ...ZERO, 0x0b, 2, 1, 1] }),
    );
    expect({ ...found, features: [...found.features] }).toEqual({
      bytes: 49,
      codeBytes: 6,
      dataBytes: 2,
      features: [],
      functions: 1,
      locals: 3,
      params: 0,
      allParams: 0,
      allLocals: 3,
      tables: 0,
      elements: 0,
      dataSegments: 1,
      elementSegments: 0,
      globals: 0,
      results: 0,
      imports: 0,
      pages: 1,
      maxPages: 1,
      start: false,
      exports: ['f'],
    });
  });
});

it('many functions, and pieces of data', () => {
  const section = (id: number, n: number, item: readonly number[]): number[] => [
    id,
    ...block([...u32(n), ...Array.from({ length: n }, () => item).flat()]),
  ];
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, 1, [0x60, 0, 0])];
  const of = (n: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([...head, ...section(3, n, [0]), ...section(5, 1, [1, 1, 1]), ...section(10, n, [2, 0, 0x0b])]);
  expect(WebAssembly.validate(of(20_001))).toBe(true);
  expect(validateProfile(of(20_001), 'cosmwasm')).toEqual(['functions: 20001, at most 20000']);
  expect(validateProfile(of(20_000), 'cosmwasm')).toEqual([]);
  expect(validateProfile(of(4097), 'stylus')).toEqual(['functions: 4097, at most 4096']);
  const data = Uint8Array.from([...head, ...section(5, 1, [1, 1, 1]), ...section(11, 129, [0, 0x41, 0, 0x0b, 1, 7])]);
  expect(validateProfile(data, 'stylus')).toEqual(['pieces of data: 129, at most 128']);
});

it('an engine without brotli says that the size after it was not checked', () => {
  const bytes = module({ data: [0, ...ZERO, 0x0b, ...block(new Array<number>(25_000).fill(1))] });
  expect(validateProfile(bytes, 'stylus')).toEqual([]);
  const spy = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
  try {
    expect(validateProfile(bytes, 'stylus')).toEqual([
      'bytes after brotli: not checked, this engine has no brotli; at most 24572',
    ]);
    expect(validateProfile(module({}), 'stylus')).toEqual([]);
  } finally {
    spy.mockRestore();
  }
});

it('a host that is none', () => {
  for (const host of ['nope', '__proto__', 'toString'])
    expect(() => validateProfile(module({}), host as Host)).toThrow(
      new TypeError(`host must be one of ${HOSTS.join(', ')}`),
    );
  for (const no of [null, 'wasm', new ArrayBuffer(8)])
    expect(() => validateProfile(no as unknown as Uint8Array, 'mvp')).toThrow('the module must be a Uint8Array');
});

describe('bytes that are no module', () => {
  it.each([
    ['a section twice', [5, 3, 1, 0, 1, 5, 3, 1, 0, 1], /section 5 stands twice/],
    ['a section too late', [5, 3, 1, 0, 1, 1, 4, 1, 0x60, 0, 0], /section 1 stands too late/],
  ])('%s', (_, sections, word) => {
    const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
    expect(WebAssembly.validate(bytes)).toBe(false);
    for (const host of HOSTS) expect(validateProfile(bytes, host)).toEqual([expect.stringMatching(word)]);
  });

  const whole = toWasm(loadModel(fileOf(MODELS.find((g) => g.name.startsWith('conv2d 3x3'))!)), { profile: 'simd128' });

  it('cut off anywhere: refused or a module of fewer sections', () => {
    for (let n = 0; n < whole.length; n += n < 64 ? 1 : 97) {
      const said = validateProfile(whole.subarray(0, n), 'ic');
      if (n < 8) expect(said[0], `${n}`).toMatch(/no module/);
    }
    expect(validateProfile(new Uint8Array(0), 'mvp')[0]).toMatch(/no module/);
  });

  it('changed anywhere: an answer within a second', () => {
    const r = new Prng(11);
    const from = performance.now();
    for (let i = 0; i < 2000; i++) {
      const bytes = whole.slice();
      for (let k = r.below(4); k >= 0; k--) bytes[r.below(bytes.length)] = r.below(256);
      expect(Array.isArray(validateProfile(bytes, 'mvp'))).toBe(true);
    }
    expect(performance.now() - from).toBeLessThan(60_000);
  });
});
