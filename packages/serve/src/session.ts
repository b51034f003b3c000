/**
 * Sessions over a WebSocket: states, and outputs that become inputs of the next run, stay here between runs, so that any worker can
 * make the next one and none takes a session along when it dies.
 * @module
 */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TypedArray } from 'samebit';
import type { WebSocket } from 'ws';
import type { Entry } from './catalog.ts';
import { decodeInputs } from './decode.ts';
import { problemOf, ServeError } from './faults.ts';
import type { GivenInput, RunAnswer } from './messages.ts';
import { type GivenValue, ROUTES, SESSION_MESSAGE } from './schemas.ts';
import type { Parts } from './server.ts';

interface Open {
  readonly type: 'open';
  readonly carry?: Readonly<Record<string, string>>;
  readonly encoding?: 'array' | 'base64';
  readonly gasLimit?: number;
}

interface Run {
  readonly type: 'run';
  readonly inputs: Readonly<Record<string, GivenValue>>;
  readonly times?: number;
  readonly count?: readonly string[];
  readonly feed?: Readonly<Record<string, string>>;
}

/** Messages that wait in one session, at most. */
const WAITING = 64;
/** Bytes that a caller has yet to read, before no more is run for it. */
const UNREAD = 1 << 20;
/** Close codes (RFC 6455 §7.4.1). */
const [GOING_AWAY, TRY_LATER] = [1001, 1013];

/** Open sessions of a server. */
export interface Sessions {
  readonly open: number;
  close(): void;
}

/** One session; messages are answered in order. */
class Talk {
  readonly #entry: Entry;
  readonly #parts: Parts;
  readonly #send: (message: object) => Promise<void>;
  #carry: Readonly<Record<string, string>> = {};
  #form: 'array' | 'base64' = 'array';
  #limit: number;
  #state: Readonly<Record<string, TypedArray>> | undefined;
  #kept: Record<string, GivenInput> = {};

  constructor(entry: Entry, parts: Parts, send: (message: object) => Promise<void>) {
    this.#entry = entry;
    this.#parts = parts;
    this.#send = send;
    this.#limit = parts.settings.maxGas;
  }

  /** Begins anew: initial states, nothing carried. */
  async open({ carry = {}, encoding = 'array', gasLimit }: Open): Promise<void> {
    const { inputs, outputs } = this.#entry.facts;
    for (const [from, to] of Object.entries(carry)) {
      const [source, target] = [outputs.find((o) => o.name === from), inputs.find((i) => i.name === to)];
      if (source === undefined || target === undefined || source.dtype !== target.dtype)
        throw new ServeError('BadRequest', `output ${from} cannot become input ${to}`);
      if (target.shape.some((d) => typeof d !== 'number'))
        throw new ServeError('BadRequest', `input ${to} has symbolic dims, and no first value`);
    }
    this.#carry = carry;
    this.#form = encoding;
    this.#limit = Math.min(gasLimit ?? this.#limit, this.#parts.settings.maxGas);
    this.#state = undefined;
    const first = Object.values(carry).map((to): [string, GivenInput] => {
      const { shape, zp } = inputs.find((i) => i.name === to)!;
      const count = (shape as readonly number[]).reduce((n, d) => n * d, 1);
      return [to, { shape: shape as readonly number[], data: new Int32Array(count).fill(zp) }];
    });
    this.#kept = Object.fromEntries(first);
    await this.#send({ type: 'opened', model: this.#entry.id });
  }

  /** Runs, and sends each result. What a failed run would have changed stays as it was. */
  async run({ inputs: given, times = 1, count = [], feed = {} }: Run, signal: AbortSignal): Promise<void> {
    let inputs = decodeInputs(given);
    for (let turn = 0; turn < times && !signal.aborted; turn++) {
      const { body, state, kept } = await this.#once(inputs, feed, signal);
      const next: Record<string, GivenInput> = { ...inputs };
      for (const name of count) {
        const data = next[name]?.data;
        if (!(data instanceof Int32Array) || data.length !== 1)
          throw new ServeError('BadRequest', `${name} is no input of one integer`);
        next[name] = { ...next[name], data: Int32Array.of(data[0]! + 1) };
      }
      for (const [from, to] of Object.entries(feed)) {
        const output = kept[from];
        if (output === undefined) throw new ServeError('BadRequest', `the model has no output ${from}`);
        next[to] = output;
      }
      inputs = next;
      this.#state = state;
      for (const [from, to] of Object.entries(this.#carry)) this.#kept[to] = kept[from]!;
      await this.#send({ type: 'result', turn, ...JSON.parse(Buffer.from(body).toString()) });
    }
    await this.#send({ type: 'done', turns: times });
  }

  async #once(inputs: Readonly<Record<string, GivenInput>>, feed: object, signal: AbortSignal): Promise<RunAnswer> {
    const { pool, metrics } = this.#parts;
    const task = {
      kind: 'run',
      inputs: { ...inputs, ...this.#kept },
      dims: [],
      gasLimit: BigInt(this.#limit),
      receipt: false,
      form: this.#form,
      state: this.#state,
      keep: [...Object.keys(this.#carry), ...Object.keys(feed)],
      hide: Object.keys(this.#carry),
    } as const;
    const answer = (await pool.run(this.#entry, task, signal)) as RunAnswer;
    metrics.run(this.#entry.id, answer.ms / 1000, answer.gas);
    return answer;
  }
}

/** Sends, and waits where the caller reads slowly. */
function sender(socket: WebSocket): (message: object) => Promise<void> {
  return (message) =>
    new Promise((done) => {
      const text = JSON.stringify(message);
      if (socket.bufferedAmount < UNREAD) {
        socket.send(text, () => undefined);
        done();
      } else socket.send(text, () => done());
    });
}

/** Adds the route of sessions. */
export function addSessions(app: FastifyInstance, parts: Parts): Sessions {
  const sockets = new Set<WebSocket>();
  const legal = (message: unknown, request: FastifyRequest): message is Open | Run =>
    request.validateInput(message, SESSION_MESSAGE) === true;

  const accept = (socket: WebSocket, request: FastifyRequest<{ Params: { id: string } }>): void => {
    const send = sender(socket);
    const gone = new AbortController();
    const say = (e: unknown): Promise<void> => send({ type: 'error', problem: problemOf(e, request.id) });
    let talk: Talk;
    try {
      if (sockets.size >= parts.settings.sessions) throw new ServeError('Busy', 'all sessions are taken');
      talk = new Talk(parts.catalog.get(request.params.id), parts, send);
    } catch (e) {
      void say(e).then(() => socket.close(TRY_LATER));
      return;
    }
    sockets.add(socket);
    let waiting = 0;
    let turn: Promise<void> = Promise.resolve();
    const take = async (text: string): Promise<void> => {
      let message: unknown;
      try {
        message = JSON.parse(text);
      } catch {
        throw new ServeError('BadRequest', 'the message is no JSON');
      }
      if (!legal(message, request)) throw new ServeError('BadRequest', 'the message is none of a session');
      await (message.type === 'open' ? talk.open(message) : talk.run(message, gone.signal));
    };
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (++waiting > WAITING) return socket.close(TRY_LATER, 'too many messages wait');
      turn = turn
        .then(() =>
          binary ? Promise.reject(new ServeError('BadRequest', 'messages are text')) : take(data.toString()),
        )
        .catch(async (e) => {
          if (!gone.signal.aborted) await say(e);
        })
        .finally(() => waiting--);
    });
    socket.on('error', (e) => request.log.info({ err: e }, 'a session failed'));
    socket.on('close', () => {
      gone.abort();
      sockets.delete(socket);
    });
  };

  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/v1/models/:id/session',
    schema: ROUTES['session']!,
    handler: async (request) => {
      parts.catalog.get(request.params.id);
      throw new ServeError('UpgradeRequired', 'a session is a WebSocket');
    },
    wsHandler: accept,
  });
  return {
    get open() {
      return sockets.size;
    },
    close() {
      for (const socket of sockets) socket.close(GOING_AWAY);
    },
  };
}
