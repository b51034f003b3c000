/**
 * ABCI over a socket: each message is its length as a varint and its bytes. A server for an application, and the client that the
 * comparison of two applications asks with.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/** Greatest message, as the node's own client has it: 100 MiB. */
const GREATEST = 104_857_600;
/** A length of that many bytes takes no more. */
const VARINT = 4;

const schema = protobuf.parse(readFileSync(join(import.meta.dirname, 'abci.proto'), 'utf8')).root.resolveAll();
const Request = schema.lookupType('Request');
const Response = schema.lookupType('Response');

/** Fields of a message by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** What answers a request of a kind, such as `checkTx`; the answer is of the same kind. */
export type Answer = (kind: string, fields: Fields) => Fields;

function encode(type: protobuf.Type, kind: string, fields: Fields): Uint8Array {
  return type.encodeDelimited(type.create({ [kind]: fields })).finish();
}

function decode(type: protobuf.Type, bytes: Uint8Array): { kind: string; fields: Fields } {
  const message = type.toObject(type.decode(bytes), { longs: Number, arrays: true, defaults: true, oneofs: true });
  const kind = message['value'] as string | undefined;
  if (kind === undefined) throw new RangeError('a message of a kind that is not in abci.proto');
  return { kind, fields: message[kind] as Fields };
}

/** Cuts a stream into messages. */
class Frames {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes that the message under way takes with its length; 0 where that is not known. */
  #wanted = 0;

  /** @throws RangeError at a message above the limit */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length > 0 && this.#length >= this.#wanted) {
      const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const head = this.#head(all);
      if (head === undefined) return;
      this.#wanted = head.bytes + head.length;
      if (all.length < this.#wanted) return;
      yield all.subarray(head.bytes, this.#wanted);
      this.#chunks = [all.subarray(this.#wanted)];
      this.#length = all.length - this.#wanted;
      this.#wanted = 0;
    }
  }

  #head(b: Buffer): { bytes: number; length: number } | undefined {
    let length = 0;
    for (let i = 0; i < VARINT; i++) {
      if (i >= b.length) return undefined;
      length += (b[i]! & 127) * 2 ** (7 * i);
      if (b[i]! >= 128) continue;
      if (length > GREATEST) break;
      return { bytes: i + 1, length };
    }
    throw new RangeError(`a message of more than ${GREATEST} bytes`);
  }
}

/**
 * Serves an application. Requests are answered one at a time, those of a connection in their order. A stream that is no ABCI ends
 * its connection; what `answer` throws ends the process: a validator halts where it cannot compute.
 * @param path of a Unix socket
 */
export function serve(path: string, answer: Answer): Server {
  const onData = (socket: Socket, frames: Frames, chunk: Buffer): void => {
    const requests: { kind: string; fields: Fields }[] = [];
    try {
      for (const message of frames.push(chunk)) requests.push(decode(Request, message));
    } catch (e) {
      console.error(`connection ended: ${(e as Error).message}`);
      socket.destroy();
      return;
    }
    socket.cork();
    for (const { kind, fields } of requests) socket.write(encode(Response, kind, answer(kind, fields)));
    socket.uncork();
  };
  const server = createServer((socket) => {
    const frames = new Frames();
    socket.on('data', (chunk) => onData(socket, frames, chunk));
    socket.on('error', () => socket.destroy());
  });
  return server.listen(path);
}

/** A connection to an application. */
export class Client {
  readonly #socket: Socket;
  readonly #waiting: { done: (answer: Fields) => void; fail: (e: Error) => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const frames = new Frames();
    socket.on('data', (chunk) => {
      for (const message of frames.push(chunk)) this.#waiting.shift()?.done(decode(Response, message).fields);
    });
    socket.on('close', () => {
      for (const w of this.#waiting.splice(0)) w.fail(new Error('the application ended the connection'));
    });
    socket.on('error', () => undefined);
  }

  static connect(path: string): Promise<Client> {
    return new Promise((done, fail) => {
      const socket = createConnection(path);
      socket.once('error', fail);
      socket.once('connect', () => done(new Client(socket)));
    });
  }

  /** The answer to a request, sent with a flush as the node does. */
  async ask(kind: string, fields: Fields = {}): Promise<Fields> {
    const answers = [kind, 'flush'].map(
      (_, i) =>
        new Promise<Fields>((done, fail) => {
          this.#waiting.push({ done, fail });
          if (this.#socket.destroyed) fail(new Error('no connection'));
          this.#socket.write(i === 0 ? encode(Request, kind, fields) : encode(Request, 'flush', {}));
        }),
    );
    return (await Promise.all(answers))[0]!;
  }

  /** Sends bytes as they are; fulfilled once the other side has ended the connection. */
  spoil(bytes: Uint8Array): Promise<void> {
    return new Promise((done) => {
      this.#socket.once('close', () => done());
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
