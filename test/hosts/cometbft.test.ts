/**
 * The application of hosts/cometbft: its state machine by vectors that were computed apart from it, its session, its socket.
 * The network itself is run by `npm run hosts:cometbft`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Client, type Fields, serve } from '../../hosts/cometbft/abci.ts';
import { Application, Code, type Genesis, type Runner } from '../../hosts/cometbft/application.ts';
import { runnerOf } from '../../hosts/cometbft/runner.ts';
import { writePart } from '../../hosts/parts.ts';
import { type Tensor, toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { createSession, loadModel } from '../../src/index.ts';
import { randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';

const folder = mkdtempSync(join(tmpdir(), 'samebit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GENESIS: Genesis = {
  blockGas: 100,
  models: [
    { id: '11'.repeat(32), module: '' },
    { id: '22'.repeat(32), module: '' },
  ],
};

/** Answers four bytes in reverse; the first may not exceed 200. */
function reversing(id: string, gas: number): Runner {
  return { id, gas, bytes: 4, check: (x) => x[0]! <= 200, run: (x) => Uint8Array.from(x).reverse() };
}

const RUNNERS = [reversing('11'.repeat(32), 10), reversing('22'.repeat(32), 30)];

function tx(model: number, limit: number, nonce: number, ...input: readonly number[]): Uint8Array {
  const head = Buffer.alloc(49);
  head.fill(model === 1 ? 0x11 : 0x22, 1, 33);
  head[0] = 1;
  head.writeBigUInt64BE(BigInt(limit), 33);
  head.writeBigUInt64BE(BigInt(nonce), 41);
  return Uint8Array.from([...head, ...input]);
}

const hash = (answer: Fields): string => Buffer.from(answer['appHash'] as Uint8Array).toString('hex');
const appStateBytes = Buffer.from(JSON.stringify(GENESIS));
const GOOD = [tx(1, 12, 7, 1, 2, 3, 4), tx(2, 30, 8, 9, 9, 0, 0)] as const;
/** App hashes at the genesis and behind each of the good transactions. */
const HASHES = [
  'd7195766c7149224215cb6c37b8a8f98962b9d0f89680eda59e1528013aff044',
  '5dad8a011a45be7d899f84b1625cdfaf2eccb25c5ab75a2265d34a41b9244b74',
  '60b3316fdcacaffb08ab2e90e9fd7191b4aae01e41fafea08a69a1dadbffda4b',
];
const unknown = GOOD[0].map((b, i) => (i === 5 ? 0 : b));
const BAD: readonly (readonly [number, Uint8Array])[] = [
  [Code.Malformed, new Uint8Array()],
  [Code.Malformed, GOOD[0].slice(0, 48)],
  [Code.Malformed, GOOD[0].map((b, i) => (i === 0 ? 2 : b))],
  [Code.UnknownModel, unknown],
  [Code.UnknownModel, unknown.slice(0, 49)],
  [Code.LimitTooHigh, tx(1, 101, 0, 1, 2, 3, 4)],
  [Code.LimitTooHigh, tx(1, 101, 0)],
  [Code.OutOfGas, tx(1, 9, 0, 1, 2, 3, 4)],
  [Code.OutOfGas, tx(1, 9, 0)],
  [Code.WrongLength, tx(1, 10, 0)],
  [Code.WrongLength, tx(1, 10, 0, 1, 2, 3)],
  [Code.WrongLength, tx(1, 10, 0, 201, 2, 3, 4, 5)],
  [Code.OutOfRange, tx(1, 10, 0, 201, 2, 3, 4)],
];

function app(file?: string): Application {
  return new Application({ genesis: GENESIS, runners: RUNNERS, ...(file === undefined ? {} : { file }) });
}

describe('application', () => {
  it('has the app hashes of the vectors', () => {
    const a = app();
    expect(hash(a.answer('initChain', { appStateBytes }))).toBe(HASHES[0]);
    for (const [i, own] of GOOD.entries()) {
      const done = a.answer('finalizeBlock', { height: i + 1, txs: [own] });
      expect(hash(done)).toBe(HASHES[i + 1]);
      a.answer('commit', {});
    }
    const together = app().answer('finalizeBlock', { height: 1, txs: GOOD });
    expect(hash(together)).toBe(HASHES[2]);
    expect(together['txResults']).toEqual([
      { code: 0, data: Uint8Array.of(4, 3, 2, 1), gasWanted: 12, gasUsed: 10 },
      { code: 0, data: Uint8Array.of(0, 0, 9, 9), gasWanted: 30, gasUsed: 30 },
    ]);
  });

  it('refuses what is wrong, in the mempool and in a block, where it changes nothing', () => {
    const a = app();
    for (const [code, own] of BAD) expect(a.answer('checkTx', { tx: own })).toEqual({ code, gasWanted: 0 });
    const txs = [...BAD.map(([, own]) => own), GOOD[0]];
    const done = a.answer('finalizeBlock', { height: 1, txs });
    expect(hash(done)).toBe(HASHES[1]);
    const results = done['txResults'] as Fields[];
    for (const [i, [code]] of BAD.entries()) expect(results[i]).toEqual({ code, gasWanted: 0 });
  });

  it('proposes what is right and fits, and takes no other block', () => {
    const a = app();
    const status = (txs: readonly Uint8Array[]): unknown => a.answer('processProposal', { txs })['status'];
    const four = [
      tx(2, 30, 0, 1, 1, 1, 1),
      tx(2, 40, 1, 1, 1, 1, 1),
      tx(2, 31, 2, 1, 1, 1, 1),
      tx(1, 30, 3, 1, 1, 1, 1),
    ];
    const mixed = [BAD[0]![1], ...four];
    const prepare = (maxTxBytes: number): unknown => a.answer('prepareProposal', { txs: mixed, maxTxBytes })['txs'];
    expect(prepare(10_000)).toEqual([four[0], four[1], four[3]]);
    expect(prepare(2 * 55)).toEqual([four[0], four[1]]);
    expect(prepare(2 * 55 - 1)).toEqual([four[0]]);
    expect(status([four[0]!, four[1]!, four[3]!])).toBe(1);
    expect(status(four)).toBe(2);
    for (const [, own] of BAD) expect(status([own])).toBe(2);
    expect(status([])).toBe(1);
  });

  it('is behind by the block that it has not committed, and goes on from its file', () => {
    const file = join(folder, 'state');
    const a = app(file);
    expect(a.answer('info', {})).toMatchObject({ lastBlockHeight: 0, lastBlockAppHash: [] });
    a.answer('initChain', { appStateBytes });
    a.answer('finalizeBlock', { height: 1, txs: [GOOD[0]] });
    a.answer('commit', {});
    a.answer('finalizeBlock', { height: 2, txs: [GOOD[1]] });
    const b = app(file);
    const info = b.answer('info', {});
    expect(info['lastBlockHeight']).toBe(1);
    expect(Buffer.from(info['lastBlockAppHash'] as Uint8Array).toString('hex')).toBe(HASHES[1]);
    expect(hash(b.answer('finalizeBlock', { height: 2, txs: [GOOD[1]] }))).toBe(HASHES[2]);
    const spoilt = readFileSync(file);
    spoilt[9]! ^= 1;
    writeFileSync(file, spoilt);
    expect(() => app(file)).toThrow('spoilt');
  });

  it('halts where the chain is another one', () => {
    const other = Buffer.from(JSON.stringify({ ...GENESIS, blockGas: 101 }));
    expect(() => app().answer('initChain', { appStateBytes: other })).toThrow('other models');
    expect(() => new Application({ genesis: GENESIS, runners: [] })).toThrow('no model');
  });
});

/** Bytes as they are stored: what is called u8 is i8, u − 128. */
function stored(tensors: Readonly<Record<string, Tensor>>, decls: readonly { name: string }[]): Buffer {
  return Buffer.concat(
    decls.map(({ name }) => {
      const { dtype, data } = tensors[name]!;
      return toBytes(data).map((b) => (dtype === 'u8' ? b ^ 128 : b));
    }),
  );
}

it('a runner gives the bytes that a session gives, and knows its intervals', async () => {
  let [compared, refused] = [0, 0];
  for (let seed = 0; seed < 60; seed++) {
    const model = loadModel(encodeModel(randomGraph(seed)));
    if (model.symbols.length > 0 || model.states.length > 0) {
      await expect(runnerOf(model, { backend: 'wasm' })).rejects.toThrow('states or symbols');
      continue;
    }
    const runner = await runnerOf(model, { backend: 'wasm' });
    const session = await createSession(model, { backend: 'reference' });
    const r = new Prng(seed);
    for (let i = 0; i < 3; i++) {
      const inputs = randomInputs(model, r, []);
      const { outputs, gasUsed } = await session.run(inputs);
      const input = stored(inputs, model.inputs);
      expect(input.length).toBe(runner.bytes);
      expect(runner.check(input)).toBe(true);
      expect(Buffer.from(runner.run(input))).toEqual(stored(outputs, model.outputs));
      expect(BigInt(runner.gas)).toBe(gasUsed);
      compared++;
      r.fill(input, 0, 255);
      if (runner.check(input)) runner.run(input);
      else {
        refused++;
        expect(() => runner.run(input)).toThrow('interval');
      }
    }
    session.dispose();
  }
  expect(compared).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(10);
});

describe('socket', () => {
  const path = join(folder, 'abci.sock');
  const server = serve(path, (kind, fields) => app().answer(kind, fields));
  afterAll(() => server.close());

  it('answers in order, whatever the pieces', async () => {
    const client = await Client.connect(path);
    const long = 'x'.repeat(300_000);
    expect(await Promise.all(['a', long, ''].map((message) => client.ask('echo', { message })))).toEqual([
      { message: 'a' },
      { message: long },
      { message: '' },
    ]);
    expect(await client.ask('checkTx', { tx: GOOD[0] })).toEqual({ code: 0, gasWanted: 12 });
    expect(await client.ask('listSnapshots')).toEqual({});
    client.close();
  });

  it('ends a connection that speaks no ABCI, and goes on', async () => {
    const r = new Prng(3);
    const noise = Array.from({ length: 40 }, () =>
      Buffer.concat([r.fill(new Uint8Array(200), 0, 255), Buffer.alloc(8, 255)]),
    );
    const spoilt = [
      Uint8Array.of(255, 255, 255, 255, 15),
      Uint8Array.of(1, 8),
      Uint8Array.of(0),
      Uint8Array.of(3, 26, 9, 1),
    ];
    for (const bytes of [...spoilt, ...noise]) {
      const client = await Client.connect(path);
      const ended = client.spoil(bytes);
      await Promise.race([ended, new Promise((done) => setTimeout(done, 50))]); // noise may be the start of a long message
      client.close();
    }
    const client = await Client.connect(path);
    expect(await client.ask('echo', { message: 'here' })).toEqual({ message: 'here' });
    client.close();
  });
});

it('a part of a file is written in its place', () => {
  const path = join(folder, 'PARTS.md');
  writeFileSync(path, '# Old\n\ntext\n');
  writePart(path, 'b', '## B\n\n1\n');
  writePart(path, 'c', '## C\n');
  writePart(path, '', '# New\n\ntext\n');
  writePart(path, 'b', '## B\n\n2\n');
  expect(readFileSync(path, 'utf8')).toBe('# New\n\ntext\n\n<!-- part: b -->\n## B\n\n2\n\n<!-- part: c -->\n## C\n');
  writePart(join(folder, 'EMPTY.md'), 'b', '## B');
  expect(readFileSync(join(folder, 'EMPTY.md'), 'utf8')).toBe('<!-- part: b -->\n## B\n');
});
