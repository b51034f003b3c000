/** Answers are those of a session, in every form; what is wrong is refused with a code. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { consensus, example, format, models, post, problem, raw, samebit, sample, start } from './support.ts';

const RECOGNISER = 'face-api/recogniser.sbm';
const { privateKey } = generateKeyPairSync('ed25519');
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const directory = models(RECOGNISER, 'chat/model.sbm');
const server = await start({ models: directory, key, bodyLimit: 400_000, receiptGas: 20_000_000 });
const s = await sample(example(RECOGNISER), 1);
const chat = await sample(example('chat/model.sbm'), 1);

it('answers as JSON, as base64 and as bytes', async () => {
  for (const k of [s, chat]) {
    const expected = Object.fromEntries(
      Object.entries(k.outputs).map(([n, { dtype, shape, data }]) => [n, { dtype, shape, data: Array.from(data) }]),
    );
    const plain = await post(server, k.id, { inputs: k.json });
    expect(plain.status).toBe(200);
    expect(await plain.json()).toEqual({ model: k.id, digest: k.digest, gas: k.gas, outputs: expected });

    const inputs = Object.fromEntries(
      Object.entries(k.inputs).map(([n, v]) => [n, { data: Buffer.from(format.toBytes(v)).toString('base64') }]),
    );
    const coded = (await (await post(server, k.id, { inputs, encoding: 'base64' })).json()) as {
      digest: string;
      outputs: Record<string, { data: string }>;
    };
    expect(coded.digest).toBe(k.digest);
    expect(Buffer.concat(Object.values(coded.outputs).map((o) => Buffer.from(o.data, 'base64')))).toEqual(k.output);

    const bytes = await post(server, k.id, k.body);
    expect(bytes.headers.get('samebit-digest')).toBe(k.digest);
    expect(bytes.headers.get('samebit-gas')).toBe(String(k.gas));
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(k.output);
  }
});

it('answers many at once, each with its own digest', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => sample(example(RECOGNISER), i)));
  const digests = await Promise.all(
    all.map(async (k) => ((await (await post(server, k.id, { inputs: k.json })).json()) as { digest: string }).digest),
  );
  expect(digests).toEqual(all.map((k) => k.digest));
  expect(new Set(digests).size).toBe(40);
});

it('signs receipts, which commit to the run', async () => {
  const r = (await (await post(server, s.id, { inputs: s.json, receipt: true })).json()) as {
    digest: string;
    receipt: Record<'words' | 'header' | 'receiptHash' | 'signature' | 'publicKey', string>;
  };
  const { publicKey, domain } = (await (await fetch(`${server.url}/v1/key`)).json()) as Record<string, string>;
  const { receipt } = r;
  expect(r.digest).toBe(s.digest);
  expect(receipt.publicKey).toBe(publicKey);
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
  const decoded = consensus.decodeReceipt(bytes(receipt.words));
  const hash = consensus.receiptHash('keccak256', decoded);
  expect(samebit.hex(hash)).toBe(receipt.receiptHash);

  const model = samebit.loadModel(example(RECOGNISER));
  const commitment = consensus.commit(model, 'keccak256');
  const session = await samebit.createSession(model, { mode: 'trace' });
  const { trace } = await consensus.traceRun(commitment, session, s.inputs);
  expect(decoded).toEqual(consensus.receiptOf(consensus.headerOf(commitment), trace));
  expect(consensus.provesHeader(bytes(receipt.header), commitment)).toBe(true);

  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey!, 'hex').toString('base64url') };
  const signed = Buffer.concat([Buffer.from(domain!), hash]);
  const checks = (message: Buffer): boolean =>
    verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(receipt.signature, 'hex'));
  expect([checks(signed), checks(Buffer.from(hash))]).toEqual([true, false]);

  const b = await post(server, s.id, s.body, '?receipt=true');
  expect(b.headers.get('samebit-receipt-hash')).toBe(receipt.receiptHash);
  expect(b.headers.get('samebit-signature')).toBe(receipt.signature);
});

const data = s.json['face']!;
it.each([
  ['no JSON', '{"inputs":', '400 BadRequest'],
  ['no inputs', {}, '400 BadRequest'],
  ['an unknown field', { inputs: {}, gas: 1 }, '400 BadRequest'],
  ['a fraction', { inputs: { face: [0.5] } }, '400 BadRequest'],
  ['text', { inputs: { face: ['1'] } }, '400 BadRequest'],
  ['no base64', { inputs: { face: { data: 'a' } } }, '400 BadRequest'],
  ['a poisoned name', '{"inputs":{"__proto__":[1]}}', '400 BadRequest'],
  ['a strange name', { inputs: { face: data, more: [1] } }, '422 UnknownInput'],
  ['a missing input', { inputs: {} }, '422 MissingInput'],
  ['too few elements', { inputs: { face: data.slice(1) } }, '422 WrongShape'],
  ['another shape', { inputs: { face: { shape: [48, 48], data } } }, '422 WrongShape'],
  ['a value of no u8', { inputs: { face: [256, ...data.slice(1)] } }, '422 OutOfRange'],
  ['a negative u8', { inputs: { face: [-1, ...data.slice(1)] } }, '422 OutOfRange'],
  ['too little gas, before the inputs are looked at', { inputs: { face: [256] }, gasLimit: 1 }, '422 GasLimit'],
  ['one gas too little', { inputs: s.json, gasLimit: s.gas - 1 }, '422 GasLimit'],
  ['too many bytes', new Uint8Array(2305), '422 WrongShape'],
  ['no bytes', new Uint8Array(1), '422 WrongShape'],
  ['a body beyond the limit', new Uint8Array(400_001), '413 TooLarge'],
])('%s', async (_, body, expected) => {
  expect(await problem(await post(server, s.id, body))).toBe(expected);
});

it('the exact gas is enough', async () => {
  expect((await post(server, s.id, { inputs: s.json, gasLimit: s.gas })).status).toBe(200);
  expect((await post(server, s.id, s.body, `?gasLimit=${s.gas}`)).status).toBe(200);
  expect(await problem(await post(server, s.id, s.body, `?gasLimit=${s.gas - 1}`))).toBe('422 GasLimit');
});

it('refuses what is no route, no model, no type and no HTTP', async () => {
  const get = async (path: string): Promise<string> => problem(await fetch(server.url + path));
  expect(await get('/nowhere')).toBe('404 NotFound');
  expect(await get(`/v1/models/${'0'.repeat(64)}`)).toBe('404 UnknownModel');
  expect(await get('/v1/models/x')).toBe('400 BadRequest');
  expect(await get(`/v1/models/${s.id}/session`)).toBe('426 UpgradeRequired');
  expect(await problem(await post(server, '0'.repeat(64), s.body))).toBe('404 UnknownModel');
  const html = { method: 'POST', headers: { 'content-type': 'text/html' }, body: 'x' };
  expect(await problem(await fetch(`${server.url}/v1/models/${s.id}/run`, html))).toBe('415 UnsupportedMedia');
  expect(await raw(server, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*problem\+json/s);
  expect(await raw(server, `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

it('a server has its own limit of gas, and of receipts', async () => {
  const small = await start({ models: directory, maxGas: s.gas - 1, receiptGas: 0 });
  expect(await problem(await post(small, s.id, { inputs: s.json, gasLimit: s.gas }))).toBe('422 GasLimit');
  const none = await start({ models: directory, receiptGas: 0 });
  expect(await problem(await post(none, s.id, { inputs: s.json, receipt: true }))).toBe('422 ReceiptTooDear');
  expect(await problem(await fetch(`${none.url}/v1/key`))).toBe('404 NoKey');
});
