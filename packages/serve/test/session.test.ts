/** Sessions: the letters of examples/chat one by one, as a session of the library gives them, also when a worker dies. */
import { once } from 'node:events';
import { expect, it } from 'vitest';
import WebSocket from 'ws';
import { encode } from '../../../examples/chat/talk.ts';
import { example, models, samebit, start, workers } from './support.ts';

const server = await start({ models: models('chat/model.sbm'), sessions: 2 });
const [id] = server.models;
const model = samebit.loadModel(example('chat/model.sbm'));
const caches = model.inputs.map((d) => d.name).filter((n) => n.endsWith('_in'));
const carry = Object.fromEntries(caches.map((n) => [n.slice(0, -3), n]));
const prompt = encode('Once upon');
const LETTERS = 20;

type Message = {
  type: string;
  digest: string;
  turn: number;
  outputs: Record<string, { data: number[] }>;
  problem: { code: string };
};

interface Line {
  readonly socket: WebSocket;
  /** The next message. */
  readonly next: () => Promise<Message>;
}

async function open(): Promise<Line> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/models/${id}/session`);
  const queue: Message[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (d) => {
    queue.push(JSON.parse(String(d)));
    wake();
  });
  await once(socket, 'open');
  const next = async (): Promise<Message> => {
    if (queue.length === 0) await new Promise<void>((done) => (wake = done));
    return queue.shift()!;
  };
  return { socket, next };
}

/** Letters and digests as a session of the library gives them. */
async function expected(): Promise<{ letters: number[]; digests: string[] }> {
  const session = await samebit.createSession(model);
  let memory = Object.fromEntries(
    model.inputs
      .filter((d) => caches.includes(d.name))
      .map((d) => {
        const size = (d.shape as number[]).reduce((n, e) => n * e, 1);
        return [d.name, (d.dtype === 'i8' ? new Int8Array(size) : new Int16Array(size)).fill(d.zp)];
      }),
  );
  const [letters, digests]: [number[], string[]] = [[], []];
  let token = 0;
  for (let i = 0; i < prompt.length + LETTERS - 1; i++) {
    token = prompt[i] ?? token;
    const word = (v: number): Int32Array => Int32Array.of(v);
    const r = await session.run({
      token: word(token),
      position: word(i),
      seed: Int32Array.of(1, 2),
      step: word(i),
      ...memory,
    });
    memory = Object.fromEntries(caches.map((n) => [n, r.outputs[n.slice(0, -3)]!.data as Int8Array<ArrayBuffer>]));
    digests.push(r.digest);
    token = r.outputs['next']!.data[0]!;
    if (i >= prompt.length - 1) letters.push(token);
  }
  return { letters, digests };
}

const words = (token: number, i: number): object => ({ token: [token], position: [i], seed: [1, 2], step: [i] });

it.each([false, true])('streams what a session gives, with a worker that dies: %s', async (dies) => {
  const { socket, next } = await open();
  const send = (m: object): void => socket.send(JSON.stringify(m));
  send({ type: 'open', carry });
  expect((await next()).type).toBe('opened');
  const digests: string[] = [];
  const letters: number[] = [];
  for (const [i, token] of prompt.slice(0, -1).entries()) send({ type: 'run', inputs: words(token, i) });
  for (let i = 0; i < prompt.length - 1; i++) {
    const m = await next();
    digests.push(m.digest);
    expect((await next()).type).toBe('done');
  }
  if (dies) await workers.at(-1)!.terminate();
  const last = prompt.length - 1;
  send({
    type: 'run',
    inputs: words(prompt[last]!, last),
    times: LETTERS,
    count: ['position', 'step'],
    feed: { next: 'token' },
  });
  for (let i = 0; i < LETTERS; i++) {
    const m = await next();
    expect([m.type, m.turn, Object.keys(m.outputs)]).toEqual(['result', i, ['next']]);
    digests.push(m.digest);
    letters.push(m.outputs['next']!.data[0]!);
  }
  expect((await next()).type).toBe('done');
  expect({ letters, digests }).toEqual(await expected());
  socket.close();
  await once(socket, 'close');
});

it('says what is wrong, and goes on', async () => {
  const { socket, next } = await open();
  const code = async (m: unknown): Promise<string> => {
    socket.send(typeof m === 'string' ? m : JSON.stringify(m));
    return (await next()).problem.code;
  };
  expect(await code('{')).toBe('BadRequest');
  expect(await code({ type: 'sing' })).toBe('BadRequest');
  expect(await code({ type: 'open', carry: { next: 'seed?' } })).toBe('BadRequest');
  expect(await code({ type: 'run', inputs: {} })).toBe('MissingInput');
  socket.send(JSON.stringify({ type: 'open', carry }));
  expect((await next()).type).toBe('opened');
  expect(await code({ type: 'run', inputs: words(65, 0) })).toBe('OutOfRange');
  expect(await code({ type: 'run', inputs: words(1, 64) })).toBe('OutOfRange');
  socket.send(JSON.stringify({ type: 'run', inputs: words(prompt[0]!, 0) }));
  expect((await next()).digest).toBe((await expected()).digests[0]);
  socket.close();
  await once(socket, 'close');
});

it('there are as many as are allowed', async () => {
  const [a, b] = [await open(), await open()];
  const third = await open();
  expect((await third.next()).problem.code).toBe('Busy');
  for (const s of [a, b]) {
    s.socket.close();
    await once(s.socket, 'close');
  }
});
