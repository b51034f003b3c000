/**
 * A dispute on a chain in this page: the contracts of samebit/evm, both players of samebit/evm, one move at a time.
 * @module
 */
import { computeElement, encodeHeader, type Header, headerHash, headerOf, type Trace } from 'samebit/consensus';
import {
  asserterMove,
  challengerMove,
  deployCourt,
  type Game,
  type GameEvent,
  type Move,
  PHASES,
  type Phase,
  toHex,
} from 'samebit/evm';
import { type Abi, encodeFunctionData, type Hex } from 'viem';
import { Chain, type Deployed, type Party, type Sent } from '../../../examples/chain.ts';
import { readsOf } from '../../../src/consensus/element.ts';
import { nodeAt, type Tree, WORD } from '../../../src/consensus/merkle.ts';
import { traceBytes } from '../../../src/consensus/trace.ts';
import { splits } from '../../../src/evm/player.ts';
import { forgedSums } from '../../../test/evm/forge.ts';
import { Liar, withElement } from '../../../test/evm/liar.ts';

/** Wei, and seconds, as a chain might ask for. */
const TERMS = { bond: 10n ** 17n, delay: 604_800n, window: 86_400n, move: 3_600n } as const;

/** One part of a reveal: what is claimed, and whether the challenger has the same. */
export interface Part {
  readonly claimed: string;
  readonly same: boolean;
}

/** Elements of one tensor that an element follows from. */
export interface Operands {
  readonly tensor: number;
  readonly count: number;
  readonly some: readonly { readonly at: number; readonly value: number }[];
}

/** A transaction of a game, and what it showed. */
export interface Step {
  readonly side: 'asserter' | 'challenger';
  readonly name: string;
  readonly gas: bigint;
  /** Bytes of its calldata. */
  readonly bytes: number;
  /** What the game waited for, and where it stood. */
  readonly phase: Phase | 'claim' | 'challenge';
  readonly height: number;
  readonly inTensor: boolean;
  readonly tensor?: number;
  /** Hashes, bytes or sums that were revealed, and which part was chosen. */
  readonly parts?: readonly Part[];
  readonly chosen?: number;
  readonly root?: string;
  readonly element?: number;
  readonly from?: number;
  readonly to?: number;
  /** Of a proof. */
  readonly claimed?: string;
  readonly computed?: string;
  readonly operands?: readonly Operands[];
  /** Why the contract took no move of the party that was late. */
  readonly refusal?: string;
  readonly winner?: 'asserter' | 'challenger';
}

/** A chain with the contracts and both parties on it. */
export class Court {
  readonly chain: Chain;
  readonly registry: Deployed;
  readonly dispute: Deployed;
  readonly asserter: Party;
  readonly challenger: Party;

  private constructor(parts: Pick<Court, 'chain' | 'registry' | 'dispute' | 'asserter' | 'challenger'>) {
    this.chain = parts.chain;
    this.registry = parts.registry;
    this.dispute = parts.dispute;
    this.asserter = parts.asserter;
    this.challenger = parts.challenger;
  }

  /** Deploys everything; `hear` is told of each contract. */
  static async open(hear: (contracts: number) => void): Promise<Court> {
    const chain = await Chain.create();
    const deployer = await chain.party('deployer');
    let count = 0;
    const { registry, dispute } = await deployCourt(async (artifact, args) => {
      const deployed = await chain.deploy(deployer, artifact, args);
      hear(++count);
      return deployed;
    }, TERMS);
    const [asserter, challenger] = [await chain.party('asserter'), await chain.party('challenger')];
    return new Court({ chain, registry, dispute, asserter, challenger });
  }

  /** Registers a model and lets it mature. */
  async publish(header: Header): Promise<void> {
    checked(await this.registry.send(this.asserter, 'register', [toHex(encodeHeader(header))], TERMS.bond));
    this.chain.advance(TERMS.delay);
  }
}

function checked(sent: Sent): Sent {
  if (sent.error !== undefined) throw new Error(`the contract refuses: ${sent.error}`);
  return sent;
}

/** Bytes of the call of a function. */
function sizeOf({ abi }: Deployed, { name, args }: Move): number {
  return (encodeFunctionData({ abi: abi as Abi, functionName: name, args: args as never }).length - 2) / 2;
}

/** Hashes up to three levels below a node. */
function below(tree: Tree, height: number, index: number): string[] {
  const levels = Math.min(3, height);
  return Array.from({ length: 2 ** levels }, (_, i) => toHex(nodeAt(tree, height - levels, index * 2 ** levels + i)));
}

function compare(claimed: readonly unknown[], own: readonly unknown[]): Part[] {
  return claimed.map((c, i) => ({
    claimed: String(c),
    same: String(c).toLowerCase() === String(own[i]).toLowerCase(),
  }));
}

/** One game over one lie. */
export class Dispute {
  readonly #court: Court;
  readonly #honest: Trace;
  readonly #liar: Trace;
  readonly #header: Header;
  readonly #history: GameEvent[] = [];
  #claim = 0n;
  #game: bigint | undefined;
  #revealed: readonly Part[] = [];

  constructor(
    court: Court,
    honest: Trace,
    lie: { readonly tensor: number; readonly element: number; readonly value: number },
  ) {
    this.#court = court;
    this.#honest = honest;
    const changed = withElement(honest.tensor(lie.tensor), lie.element, lie.value);
    this.#liar = new Liar(honest, new Map([[lie.tensor, changed]]));
    this.#header = headerOf(honest.commitment);
  }

  /** The claim: the first transaction. */
  async claim(): Promise<Step> {
    const { dispute, asserter } = this.#court;
    const { inputRoot, outputRoot, root, plan } = this.#liar;
    const roots = [headerHash(this.#header), inputRoot, outputRoot, root].map(toHex);
    const move = { name: 'assertRun', args: [...roots, plan.dims.map(BigInt)] };
    const sent = checked(await dispute.send(asserter, move.name, move.args, TERMS.bond));
    this.#claim = sent.events[0]!.args['claim'] as bigint;
    const step = { side: 'asserter', name: move.name, gas: sent.gas, bytes: sizeOf(dispute, move) } as const;
    return { ...step, phase: 'claim', height: 0, inTensor: false, root: roots[3]! };
  }

  /** The next transaction. */
  async next(): Promise<Step> {
    if (this.#game === undefined) return this.#challenge();
    const { dispute } = this.#court;
    const id = this.#game;
    const game = (await dispute.call('getGame', [id])).value as Game;
    const traceRoot = this.#liar.root;
    const plain = asserterMove(id, game, { header: this.#header, trace: this.#liar, traceRoot });
    const asserted =
      plain?.name === 'postSums' ? (forgedSums(this.#liar, game, plain, (count) => count >> 1) ?? plain) : plain;
    const move =
      asserted ?? challengerMove(id, game, this.#history, { header: this.#header, trace: this.#honest, traceRoot });
    if (move === undefined) throw new Error('nobody has a move');
    const side = asserted === undefined ? 'challenger' : 'asserter';
    const sent = await dispute.send(this.#court[side], move.name, move.args);
    if (sent.error !== undefined) return this.#late(side, id, sent.error);
    this.#history.push(...sent.events);
    const decided = sent.events.find((e) => e.name === 'Decided');
    const liar = this.#court.asserter.address.toString().toLowerCase();
    const winner = decided && (String(decided.args['winner']).toLowerCase() === liar ? 'asserter' : 'challenger');
    const tensor = game.inTensor ? game.tensor : undefined;
    return {
      side,
      name: move.name,
      gas: sent.gas,
      bytes: sizeOf(dispute, move),
      phase: PHASES[game.phase]!,
      height: game.height,
      inTensor: game.inTensor,
      ...(tensor === undefined ? {} : { tensor }),
      ...this.#shown(move, game, sent),
      ...(winner === undefined ? {} : { winner }),
    };
  }

  async #challenge(): Promise<Step> {
    const { dispute, challenger } = this.#court;
    const move = { name: 'challenge', args: [this.#claim] };
    const sent = checked(await dispute.send(challenger, move.name, move.args, TERMS.bond));
    this.#game = sent.events[0]!.args['game'] as bigint;
    const step = { side: 'challenger', name: move.name, gas: sent.gas, bytes: sizeOf(dispute, move) } as const;
    return { ...step, phase: 'challenge', height: 0, inTensor: false, root: toHex(this.#honest.root) };
  }

  /** Ends a game whose party has no move that the contract takes. */
  async #late(side: Step['side'], id: bigint, refusal: string): Promise<Step> {
    const { chain, dispute, challenger } = this.#court;
    chain.advance(TERMS.move + 1n);
    const move = { name: 'timeout', args: [id] };
    const { gas } = checked(await dispute.send(challenger, move.name, move.args));
    const winner = side === 'asserter' ? 'challenger' : 'asserter';
    const step = { side: 'challenger', name: move.name, gas, bytes: sizeOf(dispute, move), phase: 'done' } as const;
    return { ...step, height: 0, inTensor: false, refusal, winner };
  }

  /** What a move shows beside its costs. */
  #shown(move: Move, game: Game, { events }: Sent): Partial<Step> {
    const index = Number(game.index);
    const event = (name: string, key: string): unknown => events.find((e) => e.name === name)?.args[key];
    switch (move.name) {
      case 'reveal': {
        const tree = game.inTensor ? this.#honest.tensorTree(game.tensor) : this.#honest.tree;
        this.#revealed = compare(event('Revealed', 'children') as readonly Hex[], below(tree, game.height, index));
        return { parts: this.#revealed };
      }
      case 'choose':
      case 'chooseSum':
        return { parts: this.#revealed, chosen: Number(event('Chosen', 'which')) };
      case 'revealRoot':
        return { tensor: index, root: event('Opened', 'word') as Hex };
      case 'revealChunk':
        return {
          parts: compare(bytesOf(event('Opened', 'word') as Hex), this.#ownChunk(game.tensor, index)),
          from: index,
        };
      case 'contest':
        return { element: Number(event('Contested', 'element')) };
      case 'postSums': {
        const [from, to] = [Number(game.from), Number(game.to)];
        const claim = this.#element(game);
        const own = splits(from, to, game.tile).map(([a, b]) => this.#part(game, a, b, claim));
        this.#revealed = compare(event('Summed', 'sums') as readonly bigint[], own);
        return { parts: this.#revealed, from, to, element: Number(game.element) };
      }
      case 'prove': {
        const element = Number((move.args[2] as { readonly element: bigint }).element);
        return this.#proved(game.tensor, element, String(computeElement(this.#honest, game.tensor, element)));
      }
      case 'provePart': {
        const [from, to] = [Number(game.from), Number(game.to)];
        const computed = this.#part(game, from, to, this.#element(game));
        return { ...this.#proved(game.tensor, Number(game.element), computed), claimed: String(game.total), from, to };
      }
      default:
        return {};
    }
  }

  /** The element under dispute as it is claimed. */
  #element(game: Game): number {
    return this.#liar.tensor(game.tensor).data[Number(game.element)]!;
  }

  #part(game: Game, from: number, to: number, claim: number): string {
    return String(computeElement(this.#honest, game.tensor, Number(game.element), { kind: 'part', from, to, claim }));
  }

  /** The bytes of a chunk as the challenger has them. */
  #ownChunk(tensor: number, chunk: number): string[] {
    const word = new Uint8Array(WORD);
    word.set(traceBytes(this.#honest.tensor(tensor)).subarray(chunk * WORD, (chunk + 1) * WORD));
    return bytesOf(toHex(word));
  }

  #proved(tensor: number, element: number, computed: string): Partial<Step> {
    const byTensor = new Map<number, { at: number; value: number }[]>();
    for (const r of readsOf(this.#honest, tensor, element)) {
      const list = byTensor.get(r.tensor) ?? [];
      byTensor.set(r.tensor, [...list, { at: r.at, value: this.#honest.tensor(r.tensor).data[r.at]! }]);
    }
    const operands = [...byTensor].map(([t, list]) => ({ tensor: t, count: list.length, some: list.slice(0, 9) }));
    const claimed = String(this.#liar.tensor(tensor).data[element]);
    return { tensor, element, claimed, computed, operands };
  }
}

/** The bytes of a word, two characters each. */
function bytesOf(word: Hex): string[] {
  return word.slice(2).match(/../g) ?? [];
}
