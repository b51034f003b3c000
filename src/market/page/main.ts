/**
 * The page of the gateway: search, look at a model, try a call. Texts of strangers enter as text only.
 * @module
 */

interface Affine {
  readonly c: number;
  readonly k: readonly number[];
}
type Size = number | Affine;
interface Port {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly Size[];
  readonly zp: number;
  readonly lo: Size;
  readonly hi: Size;
}
interface Claim {
  readonly metric: string;
  readonly rows: number;
  readonly score: string;
  readonly stands: boolean;
  readonly settled: boolean;
  readonly data: string;
}
interface Model {
  readonly header: string;
  readonly author: string;
  readonly price: string;
  readonly task: string;
  readonly size: number;
  readonly content: string;
  readonly held: readonly string[];
  readonly calls: number;
  readonly matureAt?: string;
  readonly share?: number;
  readonly accuracy: readonly Claim[];
  readonly inputs?: readonly Port[];
  readonly outputs?: readonly Port[];
}
interface Usage {
  readonly mode: 'chain' | 'local';
  readonly spent: string;
  readonly budget: string;
  readonly maxPrice: string;
  readonly calls: number;
}
interface Output {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Answer {
  readonly outputs?: readonly Output[];
  readonly output?: string;
  readonly receipt: Readonly<Record<string, string | number>>;
}

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

let token = '';
let chosen = '';
let usage: Usage | undefined;

/** An element with text or elements in it. */
function make(
  tag: string,
  content: string | readonly Node[] = '',
  attributes: Record<string, string> = {},
): HTMLElement {
  const e = document.createElement(tag);
  if (typeof content === 'string') e.textContent = content;
  else e.append(...content);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  return e;
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(
    path,
    body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
  );
  const answer = (await response.json().catch(() => ({}))) as {
    readonly error?: { readonly message: string; readonly hint?: string };
  };
  if (response.status === 401) $('door').hidden = false;
  if (!response.ok)
    throw new Error(
      [answer.error?.message ?? `status ${response.status}`, answer.error?.hint].filter(Boolean).join(' — '),
    );
  return answer as T;
}

/** Wei for people: ether from a millionth of it. */
function money(wei: string): string {
  const n = BigInt(wei);
  if (n < 10n ** 12n) return `${n.toLocaleString('en')} wei`;
  const micro = n / 10n ** 12n;
  return `${(Number(micro) / 1e6).toLocaleString('en', { maximumFractionDigits: 6 })} ether`;
}

/** A number with its noun. */
function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

function size(d: Size): string {
  if (typeof d === 'number') return String(d);
  const terms = d.k.flatMap((k, i) => (k === 0 ? [] : [`${k === 1 ? '' : `${k}·`}s${i}`]));
  return [...(d.c === 0 ? [] : [String(d.c)]), ...terms].join(' + ');
}

function typeOf(p: Port): string {
  return `${p.dtype} [${p.shape.map(size).join(', ')}]`;
}

function list(entries: readonly (readonly [string, string, boolean?])[]): HTMLElement[] {
  return entries.flatMap(([name, value, code]) => [make('dt', name), make('dd', value, code ? { class: 'code' } : {})]);
}

function claims(m: Model): string {
  const standing = m.accuracy.filter((c) => c.stands);
  if (standing.length === 0) return 'no claim stands';
  return standing
    .map((c) => {
      const what =
        c.metric === 'top1' ? `${((100 * Number(c.score)) / c.rows).toFixed(2)} %` : `${c.metric} ${c.score}`;
      return `${what} of ${c.rows.toLocaleString('en')} rows${c.settled ? '' : ', may still be refuted'}`;
    })
    .join('; ');
}

function ports(m: Model): HTMLElement {
  if (m.inputs === undefined)
    return make('p', 'Nobody who was asked has the card of this model: what it takes is unknown.');
  const row = (kind: string, p: Port): HTMLElement =>
    make(
      'tr',
      [kind, p.name, typeOf(p), `${size(p.lo)}…${size(p.hi)}`, String(p.zp)].map((t) => make('td', t)),
    );
  const head = make(
    'tr',
    ['', 'Name', 'Type', 'Interval', 'Zero point'].map((t) => make('th', t, { scope: 'col' })),
  );
  const body = [...m.inputs.map((p) => row('input', p)), ...(m.outputs ?? []).map((p) => row('output', p))];
  const inside = make('table', [
    make('caption', 'Inputs and outputs, by the registered signature'),
    make('thead', [head]),
    make('tbody', body),
  ]);
  return make('div', [inside], { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Signature' });
}

/** Elements of an input, where its shape is known. */
function count(p: Port): number | undefined {
  return p.shape.every((d) => typeof d === 'number')
    ? p.shape.reduce((n: number, d) => n * (d as number), 1)
    : undefined;
}

function field(p: Port, i: number): HTMLElement[] {
  const id = `field-${i}`;
  const area = make('textarea', '', { id, name: p.name, spellcheck: 'false', required: '' }) as HTMLTextAreaElement;
  const n = count(p);
  const fill = (text: string, value: () => number): HTMLElement => {
    const button = make('button', text, { type: 'button' });
    button.addEventListener('click', () => {
      area.value = Array.from({ length: n ?? 0 }, value).join(' ');
    });
    return button;
  };
  const [lo, hi] = [Number(p.lo), Number(p.hi)];
  const fills = [fill('Zero point', () => p.zp), fill('Random', () => lo + Math.floor(Math.random() * (hi - lo + 1)))];
  const label = make(
    'label',
    `${p.name}: ${n === undefined ? '' : `${n.toLocaleString('en')} integers, `}${typeOf(p)}`,
    { for: id },
  );
  return [label, area, ...(n === undefined || n > 1e6 ? [] : [make('div', fills, { class: 'fill' })])];
}

function show(m: Model): void {
  chosen = m.header;
  $('model').hidden = false;
  $('model-title').textContent = m.task || 'A model without a task';
  const mature = m.matureAt === undefined ? 'unknown' : new Date(1000 * Number(m.matureAt)).toLocaleString('en');
  $('facts').replaceChildren(
    ...list([
      ['Id', m.header, true],
      ['Author', m.author, true],
      ['Price', `${money(m.price)} a call`],
      ['Accuracy', claims(m)],
      ['Held by', counted(m.held.length, 'validator')],
      ['Final since', mature],
      ['Paid calls', m.calls.toLocaleString('en')],
      ['Body', `${m.size.toLocaleString('en')} bytes`],
      ['Content', m.content, true],
    ]),
  );
  $('ports').replaceChildren(ports(m));
  $('answer').replaceChildren();
  const inputs = m.inputs ?? [];
  $('fields').replaceChildren(...inputs.flatMap(field));
  $('call').hidden = inputs.length === 0;
  const paid =
    usage?.mode === 'chain'
      ? `A call pays ${money(m.price)} from the wallet of this gateway, and gas.`
      : 'A call runs on this machine; nobody is paid.';
  $('terms').textContent = inputs.length === 0 ? 'Without a card, send call data over HTTP.' : paid;
}

function entry(m: Model): HTMLElement {
  const accuracy = m.share === undefined ? '' : ` · ${(100 * m.share).toFixed(2)} %`;
  const types =
    m.inputs === undefined
      ? 'unknown signature'
      : `${m.inputs.map(typeOf).join(', ')} → ${(m.outputs ?? []).map(typeOf).join(', ')}`;
  const lines = [
    make('strong', m.task || 'no task'),
    make('span', `${money(m.price)}${accuracy} · ${counted(m.calls, 'call')}`),
    make('small', types),
  ];
  const button = make('button', lines, { type: 'button', 'aria-pressed': String(m.header === chosen) });
  button.addEventListener('click', () => {
    show(m);
    for (const b of $('models').querySelectorAll('button')) b.setAttribute('aria-pressed', String(b === button));
    $('model-title').focus();
  });
  return make('li', [button]);
}

async function status(): Promise<void> {
  usage = await ask<Usage>('/v1/usage');
  $('door').hidden = true;
  const { mode, spent, budget, maxPrice, calls } = usage;
  $('status').textContent =
    mode === 'chain'
      ? `Calls run on the chain. Spent ${money(spent)} of ${money(budget)}, at most ${money(maxPrice)} a call; ${counted(calls, 'call')}.`
      : `Calls run on this machine; ${counted(calls, 'call')}.`;
  $('meaning').textContent =
    mode === 'chain'
      ? 'The chain’s validators run each call, and the author is paid in the same transaction, both or neither.'
      : 'This machine runs the registered model itself. The receipt lets anybody run it again; the author is not paid by it.';
}

async function find(): Promise<void> {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData($<HTMLFormElement>('search'))) {
    const text = String(value).trim();
    if (text !== '') query.set(name, name === 'minAccuracy' ? String(Number(text) / 100) : text);
  }
  try {
    const { models, block } = await ask<{ readonly models: readonly Model[]; readonly block?: string }>(
      `/v1/models?${query}`,
    );
    const n = models.length;
    $('found').textContent = `${counted(n, 'model')}${block === undefined ? '' : `, as of block ${block}`}`;
    $('found').className = '';
    $('models').replaceChildren(...models.map(entry));
  } catch (e) {
    $('found').textContent = (e as Error).message;
    $('found').className = 'error';
  }
}

function result(a: Answer): HTMLElement[] {
  const outputs = (a.outputs ?? []).flatMap((o) => {
    const shown = o.data.slice(0, 64).join(' ');
    const best = o.data.reduce((at, v, i) => (v > o.data[at]! ? i : at), 0);
    const greatest = o.data.length > 1 ? ([['greatest', `element ${best}`]] as const) : [];
    return list([
      [`${o.name}, ${o.dtype} [${o.shape.join(', ')}]`, `${shown}${o.data.length > 64 ? ' …' : ''}`, true],
      ...greatest,
    ]);
  });
  const raw = a.output === undefined ? [] : list([['Output', a.output.slice(0, 1024), true]]);
  const receipt = Object.entries(a.receipt).map(([k, v]) => [k, String(v).slice(0, 200), true] as const);
  return [make('h3', 'Output'), make('dl', [...outputs, ...raw]), make('h3', 'Receipt'), make('dl', list(receipt))];
}

async function call(): Promise<void> {
  const inputs: Record<string, number[]> = {};
  for (const area of $('fields').querySelectorAll('textarea'))
    inputs[area.name] = area.value
      .split(/[\s,[\]]+/)
      .filter((t) => t !== '')
      .map(Number);
  const button = $<HTMLButtonElement>('send');
  button.disabled = true;
  $('answer').replaceChildren(make('p', 'Waiting for the answer…'));
  try {
    $('answer').replaceChildren(...result(await ask<Answer>(`/v1/models/${chosen}/infer`, { inputs })));
    await status();
  } catch (e) {
    $('answer').replaceChildren(make('p', (e as Error).message, { class: 'error' }));
  } finally {
    button.disabled = false;
  }
}

async function start(): Promise<void> {
  try {
    await status();
    await find();
  } catch (e) {
    $('status').textContent = (e as Error).message;
  }
}

$('search').addEventListener('submit', (e) => {
  e.preventDefault();
  void find();
});
$('call').addEventListener('submit', (e) => {
  e.preventDefault();
  void call();
});
$('door').addEventListener('submit', (e) => {
  e.preventDefault();
  token = $<HTMLInputElement>('token').value;
  void start();
});
void start();
