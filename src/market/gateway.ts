/**
 * The gateway: calls of models by their ids over HTTP, each paid or metered (docs/marketplace.md). Built to stand on one's own
 * machine: it holds a wallet, so that it answers to its own page and to programs, and to no page of another origin.
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Hono } from 'hono';
import { InputError, OutOfGas, printable, SamebitError } from '../core/errors.ts';
import { readCallDims } from '../evm/calldata.ts';
import { type Hex, toHex } from '../evm/proof.ts';
import { fromHex, isHash } from './blobs.ts';
import { type CallInputs, decodeOutputs, encodeInputs } from './call.ts';
import type { Card } from './card.ts';
import { MarketError, type MarketErrorCode } from './errors.ts';
import type { MarketIndex } from './index.ts';
import type { Lane, LaneAnswer } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import { accuracyOf, type Listing, type Query, search } from './listing.ts';
import { PAGE, SCRIPT, STYLE } from './page/page.gen.ts';
import { limited, listen, loadServer, remoteAddress } from './serve.ts';
import type { Listening, ServerLimits } from './server.ts';
import type { BlobStore } from './store.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly index: MarketIndex;
  readonly store: BlobStore;
  readonly lane: Lane;
  readonly ledger: Ledger;
  /** Wei of one call on the chain, at most, whatever a caller allows. */
  readonly maxPrice: bigint;
  /** Default 127.0.0.1; another host needs a token. */
  readonly host?: string;
  readonly port?: number;
  /** What callers show as `authorization: Bearer …`; at least 16 characters. */
  readonly token?: string | undefined;
  /** Bytes of a request, at most; default 8 MiB. */
  readonly maxBody?: number;
  /** Calls that wait for the one at hand; default 16. What is above is told to come again. */
  readonly waiting?: number;
  readonly limits?: ServerLimits;
}

/** Status of an answer by the code of its error; 502 for the others. */
const STATUS: Partial<Record<MarketErrorCode, 400 | 402 | 404 | 413 | 503>> = {
  BadRequest: 400,
  UnknownModel: 404,
  OverBudget: 402,
  TooLarge: 413,
  Busy: 503,
};

/** Milliseconds that a call may wait for its turn and its block. */
const PATIENCE = 600_000;

const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/** A value as JSON: whole numbers of any size as texts of digits. */
function json(
  c: Context,
  value: unknown,
  status: 200 | 400 | 401 | 402 | 403 | 404 | 413 | 415 | 500 | 502 | 503 = 200,
): Response {
  const text = JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v));
  const later = status === 503 ? { 'retry-after': '1' } : {};
  return c.body(text, status, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff', ...later });
}

function failure(c: Context, e: unknown): Response {
  const known = e instanceof SamebitError;
  const error = known
    ? { code: e.code, message: e.message, hint: e.hint }
    : { code: 'Failed', message: 'the call failed' };
  const bad = e instanceof InputError || e instanceof OutOfGas;
  return json(c, { error }, bad ? 400 : e instanceof MarketError ? (STATUS[e.code as MarketErrorCode] ?? 502) : 500);
}

const bad = (message: string): MarketError => new MarketError('BadRequest', message);

/** Wei as digits. */
function wei(text: unknown, name: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !/^\d{1,40}$/.test(text)) throw bad(`${name} is a text of digits: wei`);
  return BigInt(text);
}

function queryOf(c: Context): Query {
  const { task, input, output, maxPrice, minAccuracy } = c.req.query();
  const share = minAccuracy === undefined ? undefined : Number(minAccuracy);
  if (share !== undefined && !(share >= 0 && share <= 1)) throw bad('minAccuracy is a number of 0…1');
  return { task, input, output, maxPrice: wei(maxPrice, 'maxPrice'), minAccuracy: share };
}

/** A request for a call. */
interface Body {
  readonly inputs?: CallInputs['inputs'];
  readonly dims?: readonly number[];
  readonly data?: Hex;
  readonly maxPrice?: string;
  readonly trace?: boolean;
}

/** What a request may hold: one that is misspelt must not be a limit that is ignored. */
const FIELDS: readonly string[] = ['inputs', 'dims', 'data', 'maxPrice', 'trace'] satisfies (keyof Body)[];

/** Call data of a request, and the values of symbols. */
function dataOf(card: Card | undefined, body: Body): { readonly data: Uint8Array; readonly dims: readonly number[] } {
  if (body.data !== undefined) {
    if (!/^0x([0-9a-f]{2})*$/.test(String(body.data))) throw bad('data is 0x and lower-case hexadecimal digits');
    const data = fromHex(body.data);
    return { data, dims: (card && readCallDims(card.header, data)) ?? [] };
  }
  if (card === undefined)
    throw bad('nobody has the card of this model: send data, its call data in hexadecimal digits');
  if (body.inputs === undefined) throw bad('the request has neither inputs nor data');
  return { data: encodeInputs(card, { inputs: body.inputs, dims: body.dims }), dims: body.dims ?? [] };
}

/** One after the other; what waits is counted. */
class Turn {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws MarketError Busy */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting > this.#most) throw new MarketError('Busy', `${this.#most} calls wait already`);
    this.#waiting++;
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }
}

/** Refuses pages of other origins and names that were pointed at this machine, and who has no token. */
function guard(app: Hono, token: string | undefined): void {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  app.use(async (c, next) => {
    const host = c.req.header('host') ?? '';
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
      return json(c, { error: { code: 'Forbidden', message: 'a page of another origin may not call' } }, 403);
    if (token === undefined && !/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host))
      return json(c, { error: { code: 'Forbidden', message: 'without a token only this machine may call' } }, 403);
    const shown = c.req.header('authorization')?.replace(/^Bearer /, '') ?? '';
    if (token !== undefined && c.req.path.startsWith('/v1/') && !timingSafeEqual(hash(shown), hash(token)))
      return json(c, { error: { code: 'Unauthorized', message: 'show the token: authorization: Bearer …' } }, 401);
    return next();
  });
}

function summary(l: Listing): object {
  return { ...l, share: accuracyOf(l) };
}

/**
 * Serves the index, the page and calls.
 * @throws MarketError NoServer; TypeError a host beside this machine without a token
 */
export async function serveGateway(options: GatewayOptions): Promise<Listening> {
  const { index, store, lane, ledger, host = '127.0.0.1', port = 0, token, limits = {} } = options;
  if (token !== undefined && token.length < 16) throw new TypeError('a token has at least 16 characters');
  if (token === undefined && !['127.0.0.1', 'localhost', '::1'].includes(host))
    throw new TypeError('a gateway that others reach needs a token: it spends from your wallet');
  const { hono } = await loadServer();
  const { bodyLimit } = await import('hono/body-limit');
  const app = new hono.Hono();
  const turn = new Turn(options.waiting ?? 16);
  app.use(limited({ rate: 50, ...limits }, remoteAddress));
  guard(app, token);

  app.get('/', (c) => c.html(PAGE, 200, PAGE_HEADERS));
  app.get('/page.js', (c) =>
    c.body(SCRIPT, 200, { ...PAGE_HEADERS, 'content-type': 'text/javascript; charset=utf-8' }),
  );
  app.get('/page.css', (c) => c.body(STYLE, 200, { ...PAGE_HEADERS, 'content-type': 'text/css; charset=utf-8' }));

  app.get('/v1/models', (c) => {
    const query = queryOf(c);
    let found: Listing[];
    try {
      found = search(index.listings(), query);
    } catch (e) {
      throw bad((e as Error).message);
    }
    return json(c, { block: index.block, models: found.map(summary) });
  });
  const listingOf = (c: Context): Listing => {
    const header = c.req.param('header');
    const listing = isHash(header) ? index.get(header) : undefined;
    if (listing === undefined) throw new MarketError('UnknownModel', 'no model of this id is on offer');
    return listing;
  };
  app.get('/v1/models/:header', (c) => json(c, summary(listingOf(c))));
  app.get('/v1/usage', (c) => json(c, { mode: lane.mode, maxPrice: options.maxPrice, ...ledger.state }));

  const tooLarge = (c: Context): Response => failure(c, new MarketError('TooLarge', 'the request is too large'));
  const limit = bodyLimit({ maxSize: options.maxBody ?? 1 << 23, onError: tooLarge });
  app.post('/v1/models/:header/infer', limit, async (c) => {
    // A page of another origin cannot send this type without asking first, and is not answered then.
    if (!/^application\/json\b/.test(c.req.header('content-type') ?? ''))
      return json(c, { error: { code: 'BadType', message: 'send content-type: application/json' } }, 415);
    const listing = listingOf(c);
    if (listing.closed || listing.refuted)
      throw new MarketError('UnknownModel', `the model is ${listing.closed ? 'closed' : 'refuted'}`);
    const body: unknown = await c.req.json().catch(() => undefined);
    if (typeof body !== 'object' || body === null) throw bad('the request is no JSON object');
    const unknown = Object.keys(body).find((k) => !FIELDS.includes(k));
    if (unknown !== undefined) throw bad(`${printable(unknown)} is no field of a request: ${FIELDS.join(', ')}`);
    const { maxPrice, trace } = body as Body;
    const asked = wei(maxPrice, 'maxPrice') ?? options.maxPrice;
    const card = await store.card(listing.header);
    const { data, dims } = dataOf(card, body as Body);
    const most = asked < options.maxPrice ? asked : options.maxPrice;
    if (lane.mode === 'chain' && listing.price > most)
      throw new MarketError('OverBudget', `a call costs ${listing.price} wei, more than the ${most} that are allowed`);
    const call = { listing, data, maxPrice: most, trace: trace === true };
    const { output, receipt }: LaneAnswer = await turn.take(() => lane.call(call));
    const outputs = card && decodeOutputs(card, dims, output);
    return json(c, { header: listing.header, ...(outputs ? { outputs } : { output: toHex(output) }), receipt });
  });

  app.notFound((c) => json(c, { error: { code: 'NotFound', message: 'there is nothing here' } }, 404));
  app.onError((e, c) => failure(c, e));
  return listen(app, host, port, { timeout: PATIENCE, ...limits });
}
