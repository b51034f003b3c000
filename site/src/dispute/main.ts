/**
 * Play the dispute: a lie about one element of a run, and how it is found.
 * @module
 */
import { proxy } from 'comlink';
import { fetched } from '../convert/files.ts';
import { byId, el, say } from '../shell/dom.ts';
import { errorBox, type Failure } from '../shell/error.ts';
import { whole } from '../shell/format.ts';
import { start } from '../shell/layout.ts';
import { progressBar } from '../shell/progress.ts';
import { hand } from '../shell/worker.ts';
import type { Step } from './game.ts';
import { moveView, verdictView, wayOf } from './moves.ts';
import type { Place, Player, Run } from './worker.ts';

start();

const MODEL = new URL('../../../test/golden/models/mnist-cnn.sbm', import.meta.url).href;
const PICTURES = new URL('../../../examples/mnist/calib.npy', import.meta.url).href;
/** Pictures that one can choose of. */
const CHOICE = 10;

const { api: player, until } = hand<Player>(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'dispute' }),
);
const progress = progressBar('Contracts');
const [digit, tensor] = [byId<HTMLSelectElement>('digit'), byId<HTMLSelectElement>('tensor')];
const [element, value] = [byId<HTMLInputElement>('element'), byId<HTMLInputElement>('value')];
const button = (id: string): HTMLButtonElement => byId<HTMLButtonElement>(id);
let places: ReadonlyMap<number, Place> = new Map();
let files: Promise<readonly [Uint8Array, Uint8Array]> | undefined;
let steps: Step[] = [];
let busy = false;

function isFailure(x: object): x is Failure {
  return 'family' in x;
}

function fail(e: unknown): void {
  byId('failure').replaceChildren(errorBox(e));
}

/** Buttons by what can be done. */
function refresh(): void {
  const over = steps[steps.length - 1]?.winner !== undefined;
  button('claim').disabled = button('random').disabled = busy || places.size === 0;
  button('next').disabled = button('all').disabled = busy || steps.length === 0 || over;
  button('restart').disabled = busy || steps.length === 0;
  digit.disabled = busy;
  byId('none').hidden = steps.length > 0;
}

/** Work during which no other begins. */
async function alone(work: () => Promise<void>): Promise<void> {
  if (busy) return;
  busy = true;
  byId('failure').replaceChildren();
  refresh();
  try {
    await work();
  } catch (e) {
    fail(e);
  } finally {
    busy = false;
    refresh();
  }
}

function forget(): void {
  steps = [];
  byId('moves').replaceChildren();
  byId('verdict').replaceChildren();
  byId('way').hidden = true;
}

function draw({ pixels }: Run): void {
  const context = byId<HTMLCanvasElement>('picture').getContext('2d')!;
  const image = context.createImageData(28, 28);
  pixels.forEach((p, i) => image.data.set([p, p, p, 255], 4 * i));
  context.putImageData(image, 0, 0);
}

/** The honest value of the chosen element, and another one as a proposal. */
async function propose(keep = false): Promise<void> {
  const place = places.get(Number(tensor.value))!;
  element.max = String(place.count - 1);
  byId('element-hint').textContent = `0 … ${whole(place.count - 1)}`;
  const at = Math.min(place.count - 1, Math.max(0, Math.trunc(Number(element.value)) || 0));
  element.value = String(at);
  const honest = await until(player.value(place.index, at));
  if (tensor.value !== String(place.index) || element.value !== String(at)) return; // chosen anew meanwhile
  [value.min, value.max] = [String(place.lo), String(place.hi)];
  byId('value-hint').textContent = `${whole(place.lo)} … ${whole(place.hi)}; the run gave ${whole(honest)}`;
  if (!keep) value.value = String(honest < place.hi ? honest + 1 : honest - 1);
}

async function run(): Promise<void> {
  progress.set('Running the model');
  files ??= Promise.all([fetched('the model', MODEL), fetched('the pictures', PICTURES)]).then(
    ([m, p]) => [m.bytes, p.bytes] as const,
  );
  const found = await until(player.run(...(await files), Number(digit.value)));
  progress.end();
  if (isFailure(found)) return fail(found);
  forget();
  draw(found);
  byId('says').replaceChildren(
    'The network says ',
    el('strong', {}, String(found.class)),
    `, by ${whole(found.elements)} numbers.`,
  );
  const before = tensor.value;
  places = new Map(found.places.map((p) => [p.index, p]));
  tensor.replaceChildren(...found.places.map((p) => el('option', { value: p.index }, p.title)));
  if (places.has(Number(before))) tensor.value = before;
  await propose();
}

/** The lie that the form holds; undefined, with a word about it, where it is none. */
async function lieOf(): Promise<{ tensor: number; element: number; value: number } | undefined> {
  await propose(true);
  const place = places.get(Number(tensor.value))!;
  const lie = { tensor: place.index, element: Number(element.value), value: Number(value.value) };
  const honest = await until(player.value(lie.tensor, lie.element));
  const refuse = (message: string, next: string): undefined =>
    fail({ family: 'InputError', code: 'OutOfRange', message, next }) as undefined;
  if (value.value.trim() === '' || !Number.isInteger(lie.value) || lie.value < place.lo || lie.value > place.hi)
    return refuse(
      'the claimed value is none that the tensor may hold',
      `Write a whole number in ${place.lo} … ${place.hi}.`,
    );
  if (lie.value === honest)
    return refuse(`${honest} is what the run gave`, 'Write another number: the truth cannot be found out.');
  return lie;
}

function add(step: Step): void {
  steps.push(step);
  const titles = new Map([...places].map(([index, p]) => [index, p.title]));
  byId('moves').append(moveView(step, titles));
  byId('way').hidden = false;
  byId('way').textContent = wayOf(steps).join(' → ');
  if (step.winner !== undefined) byId('verdict').replaceChildren(verdictView(steps));
}

async function claim(): Promise<void> {
  const lie = await lieOf();
  if (lie === undefined) return;
  forget();
  progress.set('Deploying the contracts');
  const hear = proxy((done: number, of: number) => progress.set(`Deploying the contracts: ${done} of ${of}`, done, of));
  const step = await until(player.claim(lie, hear));
  progress.end();
  if (isFailure(step)) return fail(step);
  add(step);
  say('The run is claimed');
}

/** One move; false where there is none after it. */
async function move(): Promise<boolean> {
  const step = await until(player.next());
  if (isFailure(step)) {
    fail(step);
    return false;
  }
  add(step);
  say(byId('moves').lastElementChild!.querySelector('h3')!.textContent!);
  return step.winner === undefined;
}

async function random(): Promise<void> {
  const pick = (n: number): number => Math.floor(Math.random() * n);
  const place = [...places.values()][pick(places.size)]!;
  tensor.value = String(place.index);
  element.value = String(pick(place.count));
  await propose();
}

for (let i = 0; i < CHOICE; i++) digit.append(el('option', { value: i }, `Picture ${i}`));
byId('progress').replaceWith(progress.element);
byId('lie').addEventListener('submit', (e) => e.preventDefault());
digit.addEventListener('change', () => alone(run));
// Beside other work: the press that ends a field's edit may be that of a button, which must not be lost.
for (const field of [tensor, element]) field.addEventListener('change', () => propose().catch(fail));
button('random').addEventListener('click', () => alone(random));
button('claim').addEventListener('click', () =>
  alone(claim).then(() => {
    if (steps.length > 0) button('next').focus();
  }),
);
button('next').addEventListener('click', () =>
  alone(async () => {
    await move();
    (byId('moves').lastElementChild as HTMLElement).scrollIntoView({ block: 'nearest' });
  }).then(() => button(button('next').disabled ? 'restart' : 'next').focus({ preventScroll: true })),
);
button('all').addEventListener('click', () =>
  alone(async () => {
    while (await move());
  }).then(() => button('restart').focus({ preventScroll: true })),
);
button('restart').addEventListener('click', () => {
  forget();
  refresh();
  button('claim').focus();
});
alone(run);
