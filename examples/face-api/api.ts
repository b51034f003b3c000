/** The HTTP face of the door: pictures' faces in, answers out, each call paid on chain from the server's own wallet. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringToHex, toHex } from 'viem';
import type { Deployed, Party } from '../chain.ts';
import { CROP } from './faces.ts';

/** An answer of `POST /verify/NAME`; `POST /enrol/NAME` gives `paid` and `gas` alone. */
export interface Answer {
  readonly accepted?: boolean;
  readonly similarity?: number;
  readonly paid: string;
  readonly gas: string;
}

/** Status of an error of the contract. */
const STATUS: Readonly<Record<string, number>> = { Taken: 409, NotEnrolled: 404, WrongPayment: 402 };

async function bodyOf(request: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > limit) throw new RangeError('the body is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * Serves a door at 127.0.0.1: `POST /enrol/NAME` and `POST /verify/NAME`, the body 48 × 48 bytes of luma. A name is up to 31 bytes.
 * Calls are paid by `wallet` at `price` each, one transaction after the other.
 */
export async function serve(door: Deployed, wallet: Party, price: bigint): Promise<{ server: Server; url: string }> {
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const handle = async (): Promise<void> => {
      const [, action, name] = /^\/(enrol|verify)\/([\w-]{1,31})$/.exec(request.url ?? '') ?? [];
      if (request.method !== 'POST' || action === undefined)
        return reply(404, { error: 'POST /enrol/NAME or /verify/NAME' });
      const face = await bodyOf(request, CROP * CROP);
      if (face.length !== CROP * CROP) return reply(400, { error: `a face has ${CROP * CROP} bytes` });
      const sent = last.then(() => door.send(wallet, action, [stringToHex(name!, { size: 32 }), toHex(face)], price));
      last = sent.catch(() => {});
      const { error, events, gas } = await sent;
      if (error !== undefined) return reply(STATUS[error] ?? 500, { error });
      const { accepted, similarity } = events[0]!.args as { accepted?: boolean; similarity?: bigint };
      reply(200, {
        ...(accepted === undefined ? {} : { accepted, similarity: Number(similarity) / 1e4 }),
        paid: String(price),
        gas: String(gas),
      } satisfies Answer);
    };
    handle().catch((e: unknown) => reply(400, { error: (e as Error).message }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
