/** `samebit peer` and `samebit gateway` as processes of their own, beside a market in this one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hex } from '../../src/evm/proof.ts';
import { fetchBlob, fetchCard } from '../../src/market/fetch.ts';
import { BlobStore } from '../../src/market/store.ts';
import { type Bazaar, keyText, openBazaar } from '../market/bazaar.ts';
import { bytes, folder, MAIN, ROOT, samebit } from './samebit.ts';

const MODEL = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
const work = folder();
let bazaar: Bazaar;
beforeAll(async () => {
  bazaar = await openBazaar();
});
afterAll(() => bazaar.close());

interface Process {
  readonly child: ChildProcess;
  readonly events: Record<string, unknown>[];
}

/** Starts a command, and waits until it listens. */
async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Process> {
  const child = spawn(process.execPath, [MAIN, ...args, '--port', '0', '--json'], {
    cwd: work,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    events.push(JSON.parse(line) as Record<string, unknown>);
    if (events.at(-1)!['event'] === 'listening') break;
  }
  expect(events.at(-1)).toMatchObject({ event: 'listening' });
  return { child, events };
}

/** Ends a command as Ctrl-C does; its exit code. */
function stop({ child }: Process): Promise<number | null> {
  return new Promise((done) => {
    child.once('exit', done);
    child.kill('SIGINT');
  });
}

it('a peer serves the body and the card of a model', async () => {
  const peer = await start(['peer', '--store', 'served', '--add', MODEL]);
  const [{ header, content, size, event }, { url, blobs }] = peer.events as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  expect([event, header, content, size, blobs]).toEqual([
    'added',
    bazaar.digits.header,
    bazaar.digits.root,
    bazaar.digits.size,
    1,
  ]);
  const store = new BlobStore(join(work, 'fetched'));
  const ref = { root: content as Hex, size: size as number };
  await fetchBlob(ref, { sources: [url as string], store });
  expect(Buffer.compare(store.read(ref), bytes(MODEL))).toBe(0);
  expect((await fetchCard(header as Hex, { sources: [url as string], store }))!.inputs[0]!.dtype).toBe('u8');
  expect(await stop(peer)).toBe(0);
});

const where = (): string[] => ['--rpc', bazaar.node.url, '--market', bazaar.market.address, '--confirmations', '0'];

it('samebit fetch brings a body by the id of its model', async () => {
  const run = (...args: string[]): Promise<{ code: number | null; out: string }> =>
    new Promise((done) => {
      const child = spawn(process.execPath, [MAIN, 'fetch', ...args, '--json'], { cwd: work });
      let out = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (b: Buffer) => (out += b.toString()));
      child.once('close', (code) => done({ code, out }));
    });
  const { code, out } = await run(bazaar.digits.header, ...where(), '--store', 'fetching', '-o', 'digits.sbm');
  expect([code, JSON.parse(out)]).toMatchObject([0, { size: bazaar.digits.size, resumed: 0 }]);
  expect(Buffer.compare(bytes(join(work, 'digits.sbm')), bytes(MODEL))).toBe(0);
  const unknown = await run(`0x${'12'.repeat(32)}`, ...where(), '--store', 'fetching', '-o', 'no.sbm');
  expect([unknown.code, JSON.parse(unknown.out)]).toMatchObject([1, { error: { code: 'UnknownModel' } }]);
});

describe('a gateway', () => {
  it('pays for a call with the key of a file; its ledger holds over restarts', async () => {
    const buyer = await bazaar.chain.party('cli buyer');
    writeFileSync(join(work, 'key'), keyText(buyer));
    const flags = ['gateway', ...where(), '--store', 'paid', '--key', 'key', '--max-price', '1000'];
    const call = async (url: unknown): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await fetch(`${url as string}/v1/models/${bazaar.dense.header}/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: { x: [1, 2, 3, 4, 5, 6] } }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const first = await start([...flags, '--budget', '1000000000000000000']);
    const { status, body } = await call(first.events[0]!['url']);
    expect([status, (body['receipt'] as Record<string, unknown>)['mode']]).toEqual([200, 'chain']);
    expect(await stop(first)).toBe(0);
    const second = await start([...flags, '--budget', '2000']);
    const refused = await call(second.events[0]!['url']);
    expect([refused.status, (refused.body['error'] as Record<string, unknown>)['code']]).toEqual([402, 'OverBudget']);
    expect(await stop(second)).toBe(0);
  });

  it('--local runs the model here; the token guards what others reach', async () => {
    writeFileSync(join(work, 'token'), 'abcdefghijklmnopqrstuvwxyz\n');
    const gateway = await start(['gateway', ...where(), '--store', 'local', '--local', '--token-file', 'token']);
    const ask = (authorization: string): Promise<Response> =>
      fetch(`${gateway.events[0]!['url'] as string}/v1/models/${bazaar.digits.header}/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ data: `0x${'00'.repeat(784)}` }),
      });
    expect((await ask('Bearer wrong')).status).toBe(401);
    expect(await (await ask('Bearer abcdefghijklmnopqrstuvwxyz')).json()).toMatchObject({ receipt: { mode: 'local' } });
    expect(await stop(gateway)).toBe(0);
  });

  it('misuse says the next step', () => {
    const rpc = ['--rpc', 'http://127.0.0.1:9', '--market', bazaar.market.address];
    const cases: [readonly string[], string][] = [
      [['gateway', ...rpc], 'NoKey'],
      [['gateway', ...rpc, '--local', '--host', '0.0.0.0'], 'NoToken'],
      [['gateway', ...rpc, '--local', '--token-file', 'nothing'], 'NoToken'],
      [['search', '--rpc', 'ftp://x', '--market', bazaar.market.address], 'NoNode'],
      [['search', ...rpc, '--input', 'f32'], 'invalidArgument'],
      [['search', ...rpc, '--min-accuracy', '101%'], 'invalidArgument'],
      [['search', ...rpc, '--peer', 'nowhere'], 'invalidArgument'],
    ];
    for (const [args, code] of cases) {
      const { code: exit, stderr } = samebit([...args, '--json'], work);
      expect([exit, (JSON.parse(stderr) as { error: { code: string } }).error.code], args.join(' ')).toEqual([2, code]);
    }
  });
});
