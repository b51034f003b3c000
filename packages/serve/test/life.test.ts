/** Workers that die, queues that are full, directories that change, connections that stall, and the end. */
import { once } from 'node:events';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { built, example, folder, models, post, problem, raw, samebit, sample, start, workers } from './support.ts';

const YUNET = 'face-api/yunet.sbm';
const RECOGNISER = 'face-api/recogniser.sbm';
const heavy = await sample(example(YUNET), 1);
const light = await sample(example(RECOGNISER), 2);

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('a worker that dies', () => {
  it('is replaced, and its requests are answered all the same', async () => {
    const server = await start({ models: models(YUNET) });
    const answers = Array.from({ length: 6 }, () => post(server, heavy.id, heavy.body));
    await once(workers.at(-1)!, 'message'); // it has answered one, and has others
    await workers.at(-1)!.terminate();
    for (const a of answers) expect((await a).headers.get('samebit-digest')).toBe(heavy.digest);
    expect(await metric(server.url, 'samebit_worker_restarts_total')).toBe(1);
    expect(await metric(server.url, 'samebit_workers')).toBe(1);
  });

  it('twice at one request is an answer without a result, and no more', async () => {
    const server = await start({ models: models(RECOGNISER) });
    const kill = async (): Promise<void> => {
      const before = workers.at(-1)!;
      const exit = once(before, 'exit');
      await before.terminate();
      await exit;
    };
    const first = post(server, light.id, light.body);
    await kill();
    await kill();
    const r = await first;
    expect([200, 503]).toContain(r.status); // it may have been answered before the second death
    if (r.status === 503) expect(r.headers.get('retry-after')).toBe('1');
    else expect(r.headers.get('samebit-digest')).toBe(light.digest);
    expect((await post(server, light.id, light.body)).headers.get('samebit-digest')).toBe(light.digest);
  });
});

it('a full queue is told to come again, and what is answered is right', async () => {
  const server = await start({ models: models(YUNET), queue: 2, batch: 1 });
  const all = await Promise.all(Array.from({ length: 12 }, () => post(server, heavy.id, heavy.body)));
  const status = all.map((r) => r.status);
  expect(status.filter((n) => n === 200).length).toBeGreaterThanOrEqual(3);
  expect(status.filter((n) => n === 503).length).toBeGreaterThanOrEqual(1);
  for (const r of all) {
    if (r.status === 200) expect(r.headers.get('samebit-digest')).toBe(heavy.digest);
    else {
      expect(r.headers.get('retry-after')).toBe('1');
      expect(await problem(r)).toBe('503 Busy');
    }
  }
});

it('a run that takes too long is ended, and the next one is answered', async () => {
  const server = await start({ models: models(YUNET, RECOGNISER), timeout: 10 });
  const late = await problem(await post(server, heavy.id, heavy.body));
  expect(['504 Timeout', '503 Busy']).toContain(late);
  expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
});

describe('the directory', () => {
  it('serves what is sound, and says what is not', async () => {
    const directory = models(RECOGNISER, 'chat/model.sbm');
    const wrong = `${'0'.repeat(64)}.sbm`;
    writeFileSync(join(directory, wrong), example(YUNET));
    writeFileSync(join(directory, 'cut.sbm'), example(YUNET).subarray(0, 5000));
    writeFileSync(join(directory, 'empty.sbm'), '');
    writeFileSync(join(directory, 'huge.sbm'), new Uint8Array(400_000));
    writeFileSync(join(directory, 'notes.txt'), 'no model');
    const server = await start({ models: directory, modelLimit: 300_000 });
    const { models: listed, refused } = (await (await fetch(`${server.url}/v1/models`)).json()) as {
      models: { id: string; gas: { max: number } }[];
      refused: { file: string; code: string; reason: string }[];
    };
    expect(listed.map((m) => m.id)).toEqual([...server.models]);
    expect(listed.find((m) => m.id === light.id)!.gas.max).toBe(light.gas);
    expect(Object.fromEntries(refused.map((r) => [r.file, r.code]))).toEqual({
      [wrong]: 'WrongId',
      'cut.sbm': 'Truncated',
      'empty.sbm': expect.any(String),
      'huge.sbm': 'LocalLimit',
    });
    expect(refused.find((r) => r.file === wrong)!.reason).toContain(heavy.id);
  });

  it('is read again while requests are under way', async () => {
    const directory = models(YUNET);
    const server = await start({ models: directory });
    const under = Array.from({ length: 4 }, () => post(server, heavy.id, heavy.body));
    await once(workers.at(-1)!, 'message');
    renameSync(join(directory, 'face-api-yunet.sbm'), join(directory, 'gone'));
    writeFileSync(join(directory, `${light.id}.sbm`), example(RECOGNISER));
    const change = await server.reload();
    expect([change.added, change.removed]).toEqual([[light.id], [heavy.id]]);
    for (const a of under) expect((await a).headers.get('samebit-digest')).toBe(heavy.digest);
    expect(await problem(await post(server, heavy.id, heavy.body))).toBe('404 UnknownModel');
    expect((await post(server, light.id, light.body)).headers.get('samebit-digest')).toBe(light.digest);
    renameSync(join(directory, 'gone'), join(directory, 'face-api-yunet.sbm'));
    await server.reload();
    expect((await post(server, heavy.id, heavy.body)).headers.get('samebit-digest')).toBe(heavy.digest);
  });

  it('that is gone changes nothing', async () => {
    const directory = models(RECOGNISER);
    const server = await start({ models: directory });
    rmSync(directory, { recursive: true });
    await expect(server.reload()).rejects.toMatchObject({ code: 'BadDirectory' });
    expect((await post(server, light.id, light.body)).status).toBe(200);
    await expect(built.serve({ models: join(folder(), 'none'), log: 'silent' })).rejects.toMatchObject({
      code: 'BadDirectory',
    });
    expect(existsSync(directory)).toBe(false);
  });
});

it('a model of symbols takes dims in the query, and shapes in JSON', async () => {
  const { encodeModel } = await import('../../../src/format.ts');
  const n = { c: 0, k: [1] };
  const file = encodeModel({
    symbols: [{ name: 'n', min: 1, max: 8 }],
    inputs: [{ name: 'x', dtype: 'i16', shape: [n, 2], zp: 0, lo: -300, hi: 300 }],
    constants: [],
    nodes: [{ op: 'transpose', inputs: [0], attrs: { perm: [1, 0] } }],
    outputs: [{ name: 'y', tensor: 1 }],
    states: [],
  });
  const directory = folder();
  writeFileSync(join(directory, 'n.sbm'), file);
  const server = await start({ models: directory });
  const [id] = server.models;
  const data = Int16Array.of(1, 2, 3, 4, 5, -300);
  const session = await samebit.createSession(samebit.loadModel(file));
  const { digest } = await session.run({ x: { dtype: 'i16', shape: [3, 2], data } });
  const bytes = await post(server, id!, new Uint8Array(data.buffer), '?dims=3');
  expect(bytes.headers.get('samebit-digest')).toBe(digest);
  const json = await post(server, id!, { inputs: { x: { shape: [3, 2], data: Array.from(data) } } });
  expect(((await json.json()) as { digest: string }).digest).toBe(digest);
  expect(await problem(await post(server, id!, new Uint8Array(data.buffer), '?dims=9'))).toBe('422 WrongShape');
  expect(await problem(await post(server, id!, new Uint8Array(data.buffer)))).toBe('422 WrongShape');
  expect(await problem(await post(server, id!, { inputs: { x: { shape: [3, 2], data: [1, 2, 3, 4, 5, 301] } } }))).toBe(
    '422 OutOfRange',
  );
  expect(await problem(await post(server, id!, { inputs: { x: [1, 2] } }))).toBe('422 WrongShape');
});

it('slow requests are ended', async () => {
  const server = await start({ models: models(RECOGNISER), requestTimeout: 100 });
  const slow = /^HTTP\/1\.1 408 .*problem\+json/s;
  expect(await raw(server, 'GET /healthz HTTP/1.1\r\nhost: x\r\n')).toMatch(slow);
  const head = `POST /v1/models/${light.id}/run HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 2304\r\n\r\n`;
  expect(await raw(server, `${head}x`)).toMatch(slow);
});

it('the end answers what is under way, and takes no more', async () => {
  const server = await start({ models: models(YUNET) });
  const under = Array.from({ length: 3 }, () => post(server, heavy.id, heavy.body));
  await once(workers.at(-1)!, 'message');
  const closing = server.close();
  for (const a of under) expect((await a).headers.get('samebit-digest')).toBe(heavy.digest);
  await closing;
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
});
