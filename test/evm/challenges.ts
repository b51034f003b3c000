/** Challenges of honest claims: what a challenger, or somebody else, may try, and what it is refused with. */

import type { Party, Sent } from '../../examples/chain.ts';
import type { Goal } from '../../src/consensus/cell.ts';
import { proveElement } from '../../src/consensus/element.ts';
import { headerOf } from '../../src/consensus/header.ts';
import { openLeaves } from '../../src/consensus/merkle.ts';
import type { Trace } from '../../src/consensus/trace.ts';
import { asserterMove, type Game, PHASES, type Phase } from '../../src/evm/player.ts';
import {
  type Hex,
  type SolidityOpening,
  type SolidityProof,
  type SolidityStatement,
  solidityProof,
  solidityStatement,
  toHex,
} from '../../src/evm/proof.ts';
import { type Aim, aimAt } from './aim.ts';
import { BOND, type Court, claim, MOVE } from './game.ts';

/** A call: who, which function, its arguments, money. */
export type Attempt = readonly [who: Party, name: string, args: readonly unknown[], value?: bigint];

/** A challenge that must fail. `attempt` is refused; without one the descent itself ends against the challenger. */
export interface Bad {
  readonly kind: string;
  readonly aim: Aim;
  readonly phase: Phase;
  readonly attempt?: (m: Match) => Attempt;
  /** Time has run out before the attempt. */
  readonly late?: boolean;
}

/** A game against an honest asserter. */
export class Match {
  readonly court: Court;
  readonly trace: Trace;
  readonly third: Party;
  readonly claimId: bigint;
  readonly id: bigint;
  /** Trace index, element and its chunk. */
  readonly tensor: number;
  readonly element: number;
  readonly chunk: number;
  game!: Game;
  children: Hex[] = [];
  /** Children of the reveal before the last. */
  earlier: Hex[] = [];
  sums: bigint[] = [];
  winner: string | undefined;

  private constructor(court: Court, trace: Trace, third: Party, ids: readonly [bigint, bigint], aim: Aim) {
    this.court = court;
    this.trace = trace;
    this.third = third;
    [this.claimId, this.id] = ids;
    [this.tensor, this.element, this.chunk] = aimAt(trace, aim);
  }

  /** Claims and challenges. */
  static async open(court: Court, trace: Trace, third: Party, aim: Aim): Promise<Match> {
    const { id } = await claim(court, trace);
    const opened = await court.dispute.send(court.challenger, 'challenge', [id], BOND);
    const match = new Match(court, trace, third, [id, opened.events[0]!.args['game'] as bigint], aim);
    await match.look();
    return match;
  }

  async look(): Promise<Game> {
    this.game = (await this.court.dispute.call('getGame', [this.id])).value as Game;
    return this.game;
  }

  get phase(): Phase {
    return PHASES[this.game.phase]!;
  }

  get statement(): SolidityStatement {
    const { hash, modelRoot, nodes, traceLength } = headerOf(this.trace.commitment);
    const dims = this.trace.plan.dims;
    return solidityStatement({ hash, modelRoot, nodes, traceLength, dims, traceRoot: this.trace.root });
  }

  proof(element: number = this.element, goal: Goal = { kind: 'whole' }, tensor: number = this.tensor): SolidityProof {
    return solidityProof(proveElement(this.trace, tensor, element, goal));
  }

  /** Node, leaf and path of the tensor that is aimed at, and the dims: arguments of `contest`. */
  leaf(tensor: number = this.tensor): [bigint, Hex, Hex[], bigint[]] {
    const { commitment: c, plan } = this.trace;
    const { node } = c.trace[tensor]!;
    const path = openLeaves(c.tree, [node]).siblings.map(toHex);
    return [BigInt(node), toHex(c.leaves[node]!), path, plan.dims.map(BigInt)];
  }

  /** Sends a call and takes note of what it did. */
  async send([who, name, args, value]: Attempt): Promise<Sent> {
    const sent = await this.court.dispute.send(who, name, args, value);
    for (const e of sent.events) {
      if (e.name === 'Revealed') [this.earlier, this.children] = [this.children, [...(e.args['children'] as Hex[])]];
      if (e.name === 'Summed') this.sums = [...(e.args['sums'] as bigint[])];
      if (e.name === 'Decided')
        this.winner =
          String(e.args['winner']).toLowerCase() === this.court.asserter.address.toString() ? 'asserter' : 'challenger';
    }
    await this.look();
    return sent;
  }

  /** Plays on until the game waits in a phase, or is over. */
  async reach(phase: Phase): Promise<void> {
    while (this.phase !== phase && this.winner === undefined) {
      const known = { header: headerOf(this.trace.commitment), trace: this.trace, traceRoot: this.trace.root };
      const own = asserterMove(this.id, this.game, known);
      const sent = await this.send(own === undefined ? this.aimed() : [this.court.asserter, own.name, own.args]);
      if (sent.error !== undefined) throw new Error(sent.error);
    }
  }

  /** The challenger's next step towards what is aimed at. */
  aimed(): Attempt {
    const { challenger } = this.court;
    switch (this.phase) {
      case 'choice': {
        const levels = Math.min(3, this.game.height);
        const at = this.game.inTensor ? this.chunk : this.tensor;
        const which = Math.floor(at / 2 ** (this.game.height - levels)) % 2 ** levels;
        return [challenger, 'choose', [this.id, this.children, which]];
      }
      case 'element':
        return [challenger, 'contest', [this.id, this.element, ...this.leaf()]];
      default:
        return [challenger, 'chooseSum', [this.id, this.sums, 0]];
    }
  }

  /** The challenger is silent: the asserter ends the game. */
  async silence(): Promise<void> {
    this.court.chain.advance(MOVE + 1n);
    await this.send([this.court.asserter, 'timeout', [this.id]]);
  }
}

// ---- forgeries

const NONSENSE: Hex = `0x${'5a'.repeat(32)}`;

function flip(h: Hex): Hex {
  return `${h.slice(0, -1)}${h.endsWith('0') ? '1' : '0'}` as Hex;
}

type Forge = (p: SolidityProof, m: Match) => SolidityProof;

/** Changes the opening at a place, from the end if it is below 0. */
function inOpening(at: number, change: (o: SolidityOpening) => Partial<SolidityOpening>): Forge {
  return (p) => {
    const i = at < 0 ? p.tensors.length + at : at;
    return { ...p, tensors: p.tensors.map((o, k) => (k === i ? { ...o, ...change(o) } : o)) };
  };
}

/** Proofs of a right element with one thing changed, so that another value might come out. The last opening is a trace tensor's. */
const FORGERIES: Readonly<Record<string, Forge>> = {
  'another leaf': (p) => ({ ...p, leaf: flip(p.leaf) }),
  'a longer leaf': (p) => ({ ...p, leaf: `${p.leaf}${NONSENSE.slice(2)}` }),
  'an empty leaf': (p) => ({ ...p, leaf: '0x' }),
  'the leaf of another node': (p, m) => {
    const [node, leaf, path] = m.leaf(m.trace.length - 1);
    return { ...p, node, leaf, path };
  },
  'another node': (p) => ({ ...p, node: p.node + 1n }),
  'a node that is none': (p, m) => ({ ...p, node: m.statement.nodes }),
  'another path': (p) => ({ ...p, path: p.path.with(0, flip(p.path[0]!)) }),
  'a shorter path': (p) => ({ ...p, path: p.path.slice(1) }),
  'a longer path': (p) => ({ ...p, path: [...p.path, NONSENSE] }),
  'an element far outside': (p) => ({ ...p, element: 2n ** 200n }),
  'an input that is other': inOpening(-1, (o) => ({ chunks: o.chunks.with(0, flip(o.chunks[0]!)) })),
  'a weight that is other': inOpening(0, (o) => ({ chunks: o.chunks.with(0, flip(o.chunks[0]!)) })),
  'a sibling that is other': inOpening(0, (o) => ({ siblings: o.siblings.with(0, flip(o.siblings[0]!)) })),
  'a sibling less': inOpening(0, (o) => ({ siblings: o.siblings.slice(1) })),
  'a sibling more': inOpening(0, (o) => ({ siblings: [...o.siblings, NONSENSE] })),
  'a chunk less': inOpening(-1, (o) => ({ chunks: o.chunks.slice(1) })),
  'a chunk more': inOpening(-1, (o) => ({ chunks: [...o.chunks, NONSENSE] })),
  'no chunks': inOpening(-1, () => ({ indices: [], chunks: [] })),
  'a chunk twice': inOpening(-1, (o) => ({
    indices: [o.indices[0]!, ...o.indices],
    chunks: [o.chunks[0]!, ...o.chunks],
  })),
  'chunks out of order': inOpening(-1, (o) => ({ indices: o.indices.toReversed(), chunks: o.chunks.toReversed() })),
  'a chunk elsewhere': inOpening(-1, (o) => ({ indices: o.indices.map((i) => i + 1n) })),
  'a chunk behind the end': inOpening(-1, (o) => ({ indices: o.indices.with(-1, 2n ** 60n) })),
  'another root of a tensor': inOpening(-1, (o) => ({ root: flip(o.root) })),
  'a tensor that is not opened': (p) => ({ ...p, tensors: p.tensors.slice(0, -1) }),
  'a tensor twice': (p) => ({ ...p, tensors: [p.tensors[0]!, ...p.tensors] }),
  'tensors out of order': (p) => ({ ...p, tensors: p.tensors.toReversed() }),
  'a key that is none': inOpening(-1, (o) => ({ key: o.key + 2n ** 40n })),
  'a tensor of the trace for another': inOpening(-1, (o) => ({ key: o.key + 1n })),
  'a sibling of the roots that is other': (p) => ({
    ...p,
    rootSiblings: p.rootSiblings.with(0, flip(p.rootSiblings[0]!)),
  }),
  'a sibling of the roots less': (p) => ({ ...p, rootSiblings: p.rootSiblings.slice(1) }),
};

const STATEMENTS: Readonly<Record<string, (s: SolidityStatement) => SolidityStatement>> = {
  'another trace root': (s) => ({ ...s, traceRoot: NONSENSE }),
  'another model root': (s) => ({ ...s, modelRoot: NONSENSE }),
  'another number of nodes': (s) => ({ ...s, nodes: s.nodes + 1n }),
  'another length of the trace': (s) => ({ ...s, traceLength: s.traceLength + 1n }),
  'other dims': (s) => ({ ...s, dims: [...s.dims, 1n] }),
};

/** The part of the element under dispute that the game waits for. */
function partOf(m: Match): Goal {
  return { kind: 'part', from: Number(m.game.from), to: Number(m.game.to) };
}

/** The arguments of the right `provePart`, its proof changed. */
function tile(m: Match, forge: Forge = (p) => p): unknown[] {
  return [m.id, m.statement, forge(m.proof(m.element, partOf(m)), m), m.game.from, m.game.to];
}

/** Moves with right arguments in phases that are not theirs, or of others. */
function outOfTurn(kind: string, phase: Phase, move: (m: Match) => readonly [string, readonly unknown[]]): Bad {
  return { kind, aim: 'short', phase, attempt: (m) => [m.court.challenger, ...move(m)] };
}

/** Every kind of bad challenge within a game. */
export const BAD: readonly Bad[] = [
  // The descent.
  { kind: 'an input', aim: 'input', phase: 'done' },
  { kind: 'padding of the trace', aim: 'trace padding', phase: 'done' },
  { kind: 'padding of a tensor', aim: 'tensor padding', phase: 'done' },
  ...(['choice', 'element', 'sumChoice', 'tile'] as const).map(
    (phase): Bad => ({
      kind: `silence at ${phase}`,
      aim: phase === 'choice' || phase === 'element' ? 'short' : 'long',
      phase,
    }),
  ),
  outOfTurn('choose before anything is revealed', 'children', (m) => ['choose', [m.id, [NONSENSE, NONSENSE], 0]]),
  outOfTurn('reveal for the asserter', 'children', (m) => ['reveal', [m.id, [NONSENSE, NONSENSE]]]),
  outOfTurn('a timeout before its time', 'children', (m) => ['timeout', [m.id]]),
  outOfTurn('begin again before anything is revealed', 'children', (m) => ['again', [m.id]]),
  {
    kind: 'begin again for the challenger',
    aim: 'short',
    phase: 'choice',
    attempt: (m) => [m.third, 'again', [m.id]],
  },
  { ...outOfTurn('begin again after a contest', 'sumChoice', (m) => ['again', [m.id]]), aim: 'long' },
  { ...outOfTurn('begin again at a part', 'tile', (m) => ['again', [m.id]]), aim: 'long' },
  outOfTurn('choose what is not there', 'choice', (m) => ['choose', [m.id, m.children, 8]]),
  outOfTurn('choose of other hashes', 'choice', (m) => ['choose', [m.id, m.children.with(0, NONSENSE), 0]]),
  outOfTurn('choose of fewer hashes', 'choice', (m) => ['choose', [m.id, m.children.slice(0, 4), 0]]),
  outOfTurn('choose of no hashes', 'choice', (m) => ['choose', [m.id, [], 0]]),
  outOfTurn('choose in a game that is none', 'choice', (m) => ['choose', [m.id + 1000n, m.children, 0]]),
  outOfTurn('reveal again', 'choice', (m) => ['reveal', [m.id, m.children]]),
  outOfTurn('prove in the descent', 'choice', (m) => ['prove', [m.id, m.statement, m.proof()]]),
  outOfTurn('contest in the descent', 'choice', (m) => ['contest', [m.id, m.element, ...m.leaf()]]),
  outOfTurn('padding in the descent', 'choice', (m) => ['provePadding', [m.id]]),
  outOfTurn('a part in the descent', 'choice', (m) => ['provePart', [m.id, m.statement, m.proof(), 0, 1]]),
  outOfTurn('a sum in the descent', 'choice', (m) => ['chooseSum', [m.id, [1n], 0]]),
  outOfTurn('settle while it is open', 'choice', (m) => ['settle', [m.claimId]]),
  { ...outOfTurn('choose too late', 'choice', (m) => ['choose', [m.id, m.children, 0]]), late: true },
  {
    kind: 'choose by a third party',
    aim: 'short',
    phase: 'choice',
    attempt: (m) => [m.third, 'choose', [m.id, m.children, 0]],
  },
  {
    kind: 'choose by the asserter',
    aim: 'short',
    phase: 'choice',
    attempt: (m) => [m.court.asserter, 'choose', [m.id, m.children, 0]],
  },
  outOfTurn('choose again', 'element', (m) => ['choose', [m.id, m.children, 0]]),
  // One element.
  outOfTurn('an element that is right', 'element', (m) => ['prove', [m.id, m.statement, m.proof()]]),
  outOfTurn('an element of another chunk', 'element', (m) => ['prove', [m.id, m.statement, m.proof(0)]]),
  outOfTurn('an element of another tensor', 'element', (m) => [
    'prove',
    [m.id, m.statement, m.proof(0, undefined, m.tensor + 1)],
  ]),
  outOfTurn('padding where there is none', 'element', (m) => ['provePadding', [m.id]]),
  outOfTurn('contest of few terms', 'element', (m) => ['contest', [m.id, m.element, ...m.leaf()]]),
  outOfTurn('no proof at all', 'element', (m) => [
    'prove',
    [m.id, m.statement, { ...m.proof(), leaf: '0x', path: [], tensors: [] }],
  ]),
  { ...outOfTurn('prove too late', 'element', (m) => ['prove', [m.id, m.statement, m.proof()]]), late: true },
  {
    kind: 'prove by a third party',
    aim: 'short',
    phase: 'element',
    attempt: (m) => [m.third, 'prove', [m.id, m.statement, m.proof()]],
  },
  ...Object.entries(FORGERIES).map(([kind, forge]) =>
    outOfTurn(kind, 'element', (m) => ['prove', [m.id, m.statement, forge(m.proof(), m)]]),
  ),
  ...Object.entries(STATEMENTS).map(([kind, change]) =>
    outOfTurn(kind, 'element', (m) => ['prove', [m.id, change(m.statement), m.proof()]]),
  ),
  // Elements of many terms.
  ...(
    [
      ['many terms in one proof', (m) => ['prove', [m.id, m.statement, m.proof()]]],
      ['contest of another chunk', (m) => ['contest', [m.id, 0, ...m.leaf()]]],
      ['contest behind the end', (m) => ['contest', [m.id, 2n ** 100n, ...m.leaf()]]],
      ['contest by another leaf', (m) => ['contest', [m.id, m.element, ...m.leaf(m.trace.length - 1)]]],
      ['contest by a leaf that is none', (m) => ['contest', [m.id, m.element, ...m.leaf().with(1, NONSENSE)]]],
      ['contest at other dims', (m) => ['contest', [m.id, m.element, ...m.leaf().with(3, [1n])]]],
    ] as const satisfies readonly (readonly [string, (m: Match) => readonly [string, readonly unknown[]]])[]
  ).map(([kind, move]): Bad => ({ ...outOfTurn(kind, 'element', move), aim: 'long' })),
  ...(
    [
      ['other sums', (m) => ['chooseSum', [m.id, m.sums.with(0, 1n << 90n), 0]]],
      ['fewer sums', (m) => ['chooseSum', [m.id, m.sums.slice(1), 0]]],
      ['a sum that is not there', (m) => ['chooseSum', [m.id, m.sums, 8]]],
      ['sums for the asserter', (m) => ['postSums', [m.id, m.statement, m.proof(), m.sums]]],
      ['contest again', (m) => ['contest', [m.id, m.element, ...m.leaf()]]],
      ['a part before it is chosen', (m) => ['provePart', [m.id, m.statement, m.proof(), 0, 1]]],
    ] as const satisfies readonly (readonly [string, (m: Match) => readonly [string, readonly unknown[]]])[]
  ).map(([kind, move]): Bad => ({ ...outOfTurn(kind, 'sumChoice', move), aim: 'long' })),
  ...(
    [
      ['a part that is right', (m) => ['provePart', tile(m)]],
      ['a shorter part', (m) => ['provePart', tile(m).with(4, m.game.to - 1n)]],
      ['a part elsewhere', (m) => ['provePart', tile(m).with(3, m.game.from + 1n)]],
      ['a part of another element', (m) => ['provePart', tile(m, () => m.proof(m.element ^ 1, partOf(m)))]],
      ['a part of other weights', (m) => ['provePart', tile(m, FORGERIES['a weight that is other'])]],
      ['a part of other inputs', (m) => ['provePart', tile(m, FORGERIES['an input that is other'])]],
      ['a part of another trace', (m) => ['provePart', tile(m).with(1, { ...m.statement, traceRoot: NONSENSE })]],
      ['a sum again', (m) => ['chooseSum', [m.id, m.sums, 0]]],
      ['the whole instead of a part', (m) => ['prove', [m.id, m.statement, m.proof()]]],
    ] as const satisfies readonly (readonly [string, (m: Match) => readonly [string, readonly unknown[]]])[]
  ).map(([kind, move]): Bad => ({ ...outOfTurn(kind, 'tile', move), aim: 'long' })),
];

/** What became of some bad challenges: of each, what refused it, and who won. */
export interface Refused {
  readonly kind: string;
  readonly error: string;
  readonly winner: string;
}

/**
 * Tries bad challenges of one aim and phase in one game, and lets its challenger's time run out.
 * @throws Error where an attempt is not refused, or changes the game
 */
export async function refuse(court: Court, trace: Trace, third: Party, bad: readonly Bad[]): Promise<Refused[]> {
  const match = await Match.open(court, trace, third, bad[0]!.aim);
  await match.reach(bad[0]!.phase);
  const errors: string[] = [];
  for (const b of bad) {
    if (b.late) court.chain.advance(MOVE + 1n);
    if (b.attempt === undefined) {
      errors.push('');
      continue;
    }
    const before = await match.look();
    const sent = await match.send(b.attempt(match));
    if (sent.error === undefined) throw new Error(`${b.kind}: not refused`);
    if (JSON.stringify(match.game, text) !== JSON.stringify(before, text)) throw new Error(`${b.kind}: the game moved`);
    errors.push(sent.error);
  }
  if (match.winner === undefined) {
    const waits = asserterWaits(match);
    if (waits) await match.reach('choice');
    await match.silence();
  }
  return bad.map((b, i) => ({ kind: b.kind, error: errors[i]!, winner: match.winner ?? 'nobody' }));
}

function asserterWaits({ phase }: Match): boolean {
  return phase === 'children';
}

function text(_: string, v: unknown): unknown {
  return typeof v === 'bigint' ? `${v}` : v;
}

/** Bad challenges that can share a game. */
export function groups(bad: readonly Bad[]): Bad[][] {
  const by = new Map<string, Bad[]>();
  for (const b of bad) {
    const alone = b.attempt === undefined || b.late;
    const key = alone ? b.kind : `${b.aim}/${b.phase}`;
    by.set(key, [...(by.get(key) ?? []), b]);
  }
  return [...by.values()];
}
