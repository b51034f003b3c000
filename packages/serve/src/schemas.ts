/**
 * The one source of what routes take and give: requests are validated by these schemas, and /openapi.json is made from them.
 * @module
 */
import type { AnswerForm } from './messages.ts';

type Schema = Readonly<Record<string, unknown>>;

const text = (description: string): Schema => ({ type: 'string', description });
const whole = (description: string, minimum = 0, maximum: number = Number.MAX_SAFE_INTEGER): Schema => ({
  type: 'integer',
  minimum,
  maximum,
  description,
});
const list = (items: Schema, description?: string): Schema => ({
  type: 'array',
  items,
  ...(description === undefined ? {} : { description }),
});
const record = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((k) => !optional.includes(k)),
  properties,
});

const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const shape: Schema = { type: 'array', maxItems: 8, items: { type: 'integer', minimum: 0, maximum: 1073741824 } };
const integers: Schema = { type: 'array', items: { type: 'integer', minimum: -2147483648, maximum: 2147483647 } };
const dim: Schema = { type: ['integer', 'string'], description: 'a number, or an expression in the symbols' };

const port = record(
  {
    name: text('name'),
    dtype: text('dtype'),
    shape: list(dim),
    lo: dim,
    hi: dim,
    zp: whole('zero point', -2147483648),
    scale: { type: 'number' },
  },
  ['scale'],
);

const model = record({
  id: { ...hash, description: 'SHA-256 of the file in the domain of models (spec/20-format.md §6)' },
  name: text('file in the directory'),
  bytes: whole('size of the file'),
  nodes: whole('nodes of the graph'),
  symbols: list(record({ name: text('name'), min: whole('least value'), max: whole('greatest value') })),
  inputs: list(port, 'in the order of the signature; those of states are among them'),
  outputs: list(port),
  states: list(record({ input: text('input'), output: text('output that replaces it') })),
  gas: record({ min: whole('gas of schedule 1 at the least dims'), max: whole('at the greatest') }),
  memory: record({ constants: whole('bytes'), peak: whole('bytes of activations'), total: whole('bytes') }),
});

const receipt = record(
  {
    hash: text('hash function of the trees'),
    header: text('header of the model in base64 (spec/40-consensus.md §2)'),
    words: text('the receipt in base64'),
    receiptHash: hash,
    signature: {
      type: 'string',
      pattern: '^[0-9a-f]{128}$',
      description: 'Ed25519 over "samebit/receipt/1" ‖ receipt hash',
    },
    publicKey: hash,
  },
  ['signature', 'publicKey'],
);

const value: Schema = {
  description: 'integers, or a tensor; a tensor with symbolic dims needs its shape',
  anyOf: [
    integers,
    record(
      {
        shape,
        data: { anyOf: [integers, { type: 'string', description: 'canonical little-endian bytes in base64' }] },
      },
      ['shape'],
    ),
  ],
};
const inputs: Schema = { type: 'object', maxProperties: 4096, additionalProperties: value };
const gasLimit = whole('gas of schedule 1 that the run may cost, at most');

/** A value of a request. */
export type GivenValue =
  | readonly number[]
  | { readonly shape?: readonly number[]; readonly data: readonly number[] | string };

/** Body of a run. */
export interface RunBody {
  readonly inputs: Readonly<Record<string, GivenValue>>;
  readonly gasLimit?: number;
  readonly receipt?: boolean;
  readonly encoding?: Exclude<AnswerForm, 'bytes'>;
}

/** Query of a run whose body is bytes. */
export interface RunQuery {
  readonly dims?: string;
  readonly gasLimit?: string;
  readonly receipt?: 'true' | 'false';
}

const runBody = record(
  {
    inputs,
    gasLimit,
    receipt: { type: 'boolean', description: 'makes the signed receipt of the run, which takes its trace' },
    encoding: { enum: ['array', 'base64'], description: 'how outputs are written; array by default' },
  },
  ['gasLimit', 'receipt', 'encoding'],
);

const tensor = record({
  dtype: text('dtype'),
  shape,
  data: { anyOf: [integers, { type: 'string', description: 'canonical little-endian bytes in base64' }] },
});

const answer = record(
  {
    model: hash,
    digest: { ...hash, description: 'run digest: the same on every replica (spec/20-format.md §6)' },
    gas: whole('gas of schedule 1'),
    outputs: { type: 'object', additionalProperties: tensor },
    receipt,
  },
  ['receipt'],
);

const problem: Schema = {
  description: 'what is wrong, where, and the next step (RFC 9457)',
  content: {
    'application/problem+json': {
      schema: record(
        {
          type: text('about:blank'),
          title: text('family and code'),
          status: whole('status', 400, 599),
          detail: text('what is wrong'),
          family: text('ModelError, InputError, OutOfGas, HostError, ServeError or Bug'),
          code: text('code of the family'),
          hint: text('the next step'),
          requestId: text('as in the log'),
        },
        ['requestId'],
      ),
    },
  },
};

const json = (description: string, schema: Schema): Schema => ({
  description,
  content: { 'application/json': { schema } },
});
const problems = (...status: number[]): Readonly<Record<string, Schema>> =>
  Object.fromEntries([...status, 408, 431].map((s) => [String(s), problem]));
const id = record({ id: { ...hash, description: 'id of the model' } });
const refusal = record({ file: text('file'), code: text('code'), reason: text('what is wrong with it') });
const outcome = record({ status: text('ok, or why not') });

/** Schemas by route. */
export const ROUTES: Readonly<Record<string, Schema>> = {
  models: {
    operationId: 'listModels',
    summary: 'Models that are served, and files that are refused',
    response: {
      '200': json('the directory', record({ models: list(model), refused: list(refusal) })),
      ...problems(503),
    },
  },
  model: {
    operationId: 'getModel',
    summary: 'Signature, gas and memory of a model',
    params: id,
    response: { '200': json('the model', model), ...problems(400, 404, 503) },
  },
  run: {
    operationId: 'runModel',
    summary: 'Runs a model; states begin with their initial values',
    description:
      'As application/json, inputs by name. As application/octet-stream, the canonical bytes of all inputs that are no states, in the order of the signature; the answer is the bytes of all outputs, with digest, gas and receipt in headers.',
    params: id,
    querystring: record(
      {
        dims: {
          type: 'string',
          pattern: '^[0-9]{1,10}(,[0-9]{1,10}){0,3}$',
          description: 'octet-stream: values of the symbols in order, with commas',
        },
        gasLimit: { type: 'string', pattern: '^[0-9]{1,16}$', description: 'octet-stream: as in the JSON body' },
        receipt: { enum: ['true', 'false'], description: 'octet-stream: as in the JSON body' },
      },
      ['dims', 'gasLimit', 'receipt'],
    ),
    body: {
      content: {
        'application/json': { schema: runBody },
        'application/octet-stream': { schema: { contentMediaType: 'application/octet-stream' } },
      },
    },
    response: {
      '200': {
        description: 'outputs, digest and gas',
        content: {
          'application/json': { schema: answer },
          'application/octet-stream': { schema: { contentMediaType: 'application/octet-stream' } },
        },
      },
      ...problems(400, 404, 413, 415, 422, 500, 503, 504),
    },
  },
  session: {
    operationId: 'openSession',
    summary: 'A WebSocket with states and kept outputs between runs; its messages are in docs/serve.md',
    params: id,
    response: { '101': { description: 'the WebSocket', type: 'null' }, ...problems(400, 404, 426, 503) },
  },
  key: {
    operationId: 'getKey',
    summary: 'Key that signs receipts',
    response: {
      '200': json(
        'the key',
        record({ algorithm: { const: 'ed25519' }, publicKey: hash, domain: text('prefix of what is signed') }),
      ),
      ...problems(404),
    },
  },
  healthz: {
    operationId: 'getHealth',
    summary: 'The process answers',
    response: { '200': json('it lives', outcome), ...problems() },
  },
  readyz: {
    operationId: 'getReadiness',
    summary: 'It takes requests',
    response: { '200': json('ready', outcome), ...problems(503) },
  },
  metrics: {
    operationId: 'getMetrics',
    summary: 'Metrics in the text format of Prometheus',
    response: {
      '200': { description: 'metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
      ...problems(),
    },
  },
};

/** Schemas of messages from the caller of a session. */
export const SESSION_MESSAGE: Schema = {
  oneOf: [
    record(
      {
        type: { const: 'open' },
        carry: {
          type: 'object',
          maxProperties: 4096,
          additionalProperties: { type: 'string' },
          description: 'outputs that become inputs of the next run: output name to input name',
        },
        encoding: { enum: ['array', 'base64'] },
        gasLimit,
      },
      ['carry', 'encoding', 'gasLimit'],
    ),
    record(
      {
        type: { const: 'run' },
        inputs,
        times: whole('runs of this message', 1, 4096),
        count: {
          type: 'array',
          maxItems: 16,
          items: { type: 'string' },
          description: 'i32 inputs of one element that grow by 1 from run to run',
        },
        feed: {
          type: 'object',
          maxProperties: 16,
          additionalProperties: { type: 'string' },
          description: 'outputs that replace inputs of this message from the second run on, and are sent too',
        },
      },
      ['times', 'count', 'feed'],
    ),
  ],
};
