/** Peers for tests: honest ones, and one server for every way in which a peer may fail or lie. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Blob, CHUNK_BYTES } from '../../src/market/blobs.ts';
import type { Prng } from '../support/prng.ts';

/** A peer that runs, and how often it was asked. */
export interface TestPeer {
  readonly url: string;
  readonly asked: () => number;
  close(): void;
}

/** 16 MiB of zeros in 16 kB. */
const BOMB: Buffer = gzipSync(Buffer.alloc(1 << 24));

/** What a peer does with a request for a chunk. */
export type Manner = (blob: Blob, index: number, response: ServerResponse, request: IncomingMessage) => void;

/** Manners by name. */
export const MANNERS: Readonly<Record<string, Manner>> = {
  honest: (blob, index, response) => response.end(blob.record(index)),
  'right length, wrong bytes': (blob, index, response) => {
    const record = blob.record(index);
    record[record.length - 1]! ^= 1;
    response.end(record);
  },
  'wrong proof': (blob, index, response) => {
    const record = blob.record(index);
    record[0]! ^= 128;
    response.end(record);
  },
  'another chunk': (blob, index, response) => response.end(blob.record(index === 0 ? 1 : 0)),
  'too short': (blob, index, response) => response.end(blob.record(index).subarray(0, 100)),
  'endless body': (_, __, response) => {
    const part = Buffer.alloc(1 << 16, 7);
    const more = (): void => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', more);
    more();
  },
  'gigabytes announced': (_, __, response) => {
    response.setHeader('content-length', 2 ** 40);
    response.write('x');
  },
  redirect: (_, __, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:9/' });
    response.end();
  },
  'gzip bomb': (_, __, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(BOMB);
  },
  'does not have it': (_, __, response) => {
    response.statusCode = 404;
    response.end();
  },
  'always busy': (_, __, response) => {
    response.writeHead(503, { 'retry-after': '0' });
    response.end();
  },
  failing: (_, __, response) => {
    response.statusCode = 500;
    response.end();
  },
  vanishing: (_, __, response) => response.destroy(),
  'cut off': (blob, index, response) => {
    const record = blob.record(index);
    response.setHeader('content-length', record.length);
    response.write(record.subarray(0, record.length >> 1), () => response.destroy());
  },
  silent: () => undefined,
  trickling: (blob, index, response) => {
    const record = blob.record(index);
    response.setHeader('content-length', record.length);
    let at = 0;
    const timer = setInterval(() => response.write(record.subarray(at, ++at)), 20);
    response.on('close', () => clearInterval(timer));
  },
};

/** Manners that no honest peer has. */
export const LIES: readonly string[] = [
  'right length, wrong bytes',
  'wrong proof',
  'another chunk',
  'too short',
  'endless body',
  'gigabytes announced',
  'redirect',
  'gzip bomb',
];

/** A peer that treats each request as `choose` says. */
export async function openPeer(blob: Blob, choose: (index: number) => Manner): Promise<TestPeer> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    const index = Number(request.url!.split('/').pop());
    choose(index)(blob, index, response, request);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Bytes by seed: `chunks` whole ones and a piece. */
export function bytesOf(random: Prng, chunks: number, piece: number): Uint8Array {
  return Uint8Array.from({ length: chunks * CHUNK_BYTES + piece }, () => random.int(0, 255));
}
