/**
 * A move of a game in words and figures.
 * @module
 */
import { el } from '../shell/dom.ts';
import { whole } from '../shell/format.ts';
import { table } from '../shell/table.ts';
import type { Operands, Part, Step } from './game.ts';

/** Names of tensors by index. */
export type Titles = ReadonlyMap<number, string>;

function short(hash: string): string {
  return hash.startsWith('0x') ? `${hash.slice(2, 8)}…` : hash;
}

/** Parts of a reveal: those that differ are marked, the chosen one framed. */
function parts(label: string, list: readonly Part[], chosen?: number): HTMLElement {
  return el(
    'ol',
    { class: 'parts', 'aria-label': label },
    ...list.map((p, i) => {
      const word = i === chosen ? 'chosen' : p.same ? 'the same' : 'differs';
      return el(
        'li',
        { class: `part${p.same ? '' : ' differs'}${i === chosen ? ' chosen' : ''}` },
        el('code', {}, short(p.claimed)),
        el('span', { class: 'unseen' }, ` ${word}`),
      );
    }),
  );
}

function differing(list: readonly Part[]): string {
  const places = list.flatMap((p, i) => (p.same ? [] : [String(i)]));
  return `${places.length === 1 ? 'Number' : 'Numbers'} ${places.join(', ')} of 0…${list.length - 1} ${places.length === 1 ? 'differs' : 'differ'} from the challenger’s.`;
}

function operands(list: readonly Operands[], titles: Titles): HTMLElement {
  return table(
    'What it follows from, beside the model’s own constants',
    [{ head: 'Tensor' }, { head: 'Elements read', number: true }, { head: 'The first of them' }],
    list.map((o) => [
      titles.get(o.tensor) ?? `input ${o.tensor}`,
      whole(o.count),
      o.some.map(({ at, value }) => `[${at}] = ${value}`).join(', ') + (o.count > o.some.length ? ', …' : ''),
    ]),
  );
}

/** What a move says and shows. */
interface Told {
  readonly title: string;
  readonly text: string;
  readonly shown?: readonly Node[];
}

function told(s: Step, titles: Titles): Told {
  const name = (tensor: number | undefined): string => `tensor ${titles.get(tensor ?? -1) ?? `${tensor} (an input)`}`;
  const where = s.inTensor ? name(s.tensor) : 'the trace';
  switch (s.name) {
    case 'assertRun':
      return {
        title: 'claims the run',
        text: `A bond stands behind the roots of input, output and trace; that of the trace is ${short(s.root!)}`,
      };
    case 'challenge':
      return {
        title: 'challenges it',
        text: `The challenger ran the model, too, and has another trace root, ${short(s.root!)} with a bond behind it as well.`,
      };
    case 'reveal':
      return {
        title: `shows ${s.parts!.length} hashes`,
        text: `They stand ${Math.min(3, s.height)} below the one in doubt in the tree of ${where}, and lead to it. ${differing(s.parts!)}`,
        shown: [parts('Hashes', s.parts!)],
      };
    case 'choose':
      return {
        title: `goes on with number ${s.chosen}`,
        text: 'The first that is not his own. All before it agree.',
        shown: [parts('Hashes', s.parts!, s.chosen)],
      };
    case 'revealRoot':
      return {
        title: `opens ${name(s.tensor)}`,
        text: `The tree of the trace ends here. The root of the tensor, ${short(s.root!)}, and the op that makes it are shown to belong to claim and model; from the op the contract takes its size.`,
      };
    case 'revealChunk':
      return {
        title: `shows 32 bytes of ${name(s.tensor)}`,
        text: `Chunk ${s.from}. The bytes that differ from the challenger’s are marked.`,
        shown: [parts('Bytes', s.parts!)],
      };
    case 'contest':
      return {
        title: `contests element ${whole(s.element!)}`,
        text: 'It is a sum of more products than one proof may carry: the asserter has to split it.',
      };
    case 'postSums':
      return {
        title: `splits terms ${whole(s.from!)} to ${whole(s.to! - 1)} into ${s.parts!.length} sums`,
        text: `Together they must give what was claimed before. ${differing(s.parts!)}`,
        shown: [parts('Sums', s.parts!)],
      };
    case 'chooseSum':
      return {
        title: `doubts sum ${s.chosen}`,
        text: 'The game goes on with its terms.',
        shown: [parts('Sums', s.parts!, s.chosen)],
      };
    case 'prove':
      return {
        title: `proves element ${whole(s.element!)} of ${name(s.tensor)}`,
        text: `The contract opens what the element follows from, computes it, and gets ${s.computed} where ${s.claimed} was claimed.`,
        shown: [operands(s.operands!, titles)],
      };
    case 'provePart':
      return {
        title: `proves terms ${whole(s.from!)} to ${whole(s.to! - 1)} of element ${whole(s.element!)}`,
        text: `The contract opens these terms, adds them, and gets ${s.computed} where ${s.claimed} was claimed.`,
        shown: [operands(s.operands!, titles)],
      };
    case 'timeout':
      return {
        title: 'calls time',
        text: `The asserter had no move that the contract takes (${s.refusal}): no sums give what he claimed. Who is late loses.`,
      };
    default:
      return { title: s.name, text: '' };
  }
}

/** A move as an item of the list of moves. */
export function moveView(s: Step, titles: Titles): HTMLElement {
  const { title, text, shown = [] } = told(s, titles);
  return el(
    'li',
    { class: `move card ${s.side}`, tabindex: -1, 'data-move': s.name },
    el('h3', {}, el('span', { class: 'who' }, s.side === 'asserter' ? 'Asserter' : 'Challenger'), ` ${title}`),
    el('p', {}, text),
    ...shown,
    el(
      'p',
      { class: 'hint costs' },
      el('code', {}, s.name),
      ` · ${whole(s.gas)} gas · ${whole(s.bytes)} bytes of calldata`,
    ),
  );
}

/** Where a game stands, as the way from the root of the trace. */
export function wayOf(steps: readonly Step[]): string[] {
  const way: string[] = [];
  for (const s of steps) {
    if (s.name === 'assertRun') way.push('trace root');
    if (s.name === 'choose') way.push(`hash ${s.chosen}`);
    if (s.name === 'revealRoot') way.push(`tensor ${s.tensor}`);
    if (s.name === 'revealChunk') way.push(`chunk ${s.from}`);
    if (s.name === 'contest' || s.name === 'prove') way.push(`element ${whole(s.element!)}`);
    if (s.name === 'chooseSum') way.push(`sum ${s.chosen}`);
    if (s.name === 'provePart') way.push(`terms ${whole(s.from!)}–${whole(s.to! - 1)}`);
  }
  return way;
}

/** Who lost, and what the game cost each side. */
export function verdictView(steps: readonly Step[]): HTMLElement {
  const last = steps[steps.length - 1]!;
  const gas = (side: Step['side']): bigint => steps.reduce((sum, s) => (s.side === side ? sum + s.gas : sum), 0n);
  const bytes = steps.reduce((sum, s) => sum + s.bytes, 0);
  const found = last.winner === 'challenger';
  return el(
    'div',
    { class: `verdict ${found ? 'good' : 'bad'}`, 'data-winner': last.winner },
    el('p', {}, found ? 'The lie is found: the asserter loses his bond.' : 'The asserter wins.'),
    el(
      'p',
      { class: 'figures' },
      `${steps.length} transactions, ${whole(bytes)} bytes of calldata. Gas: asserter ${whole(gas('asserter'))}, challenger ${whole(gas('challenger'))}; the proof that ended it ${whole(last.gas)}.`,
    ),
  );
}
