/**
 * Chooses, for every dense and conv2d, how many rows stand in the code (dear in bytes, cheap to run) and how many lie in data.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Model } from '../../graph/ir.ts';
import { type Emitted, emit } from './compile.ts';
import { type Choice, type DataContracts, Emitter } from './emitter.ts';
import { CompileError } from './errors.ts';

/** What the compiler favours. */
export type Goal = 'gas' | 'size';

/** Bytes of code in one contract (EIP-170). */
export const CODE_LIMIT = 24576;

/** The rows of a node that may lie in data. */
interface Node {
  readonly index: number;
  readonly rows: number;
}

/** The program that was chosen. */
export interface Planned extends Emitted {
  readonly choices: readonly (Choice | undefined)[];
}

function nodesOf(model: Model): Node[] {
  const e = new Emitter(model, [], undefined);
  return model.nodes.flatMap(({ op }, index) => {
    if (op !== 'dense' && op !== 'conv2d') return [];
    const n = e.linear(index);
    if (n.perGroup !== n.channels || n.perGroup === 0) return []; // of a group's row most words are 0: they stand in the code
    return [{ index, rows: n.rows }];
  });
}

/** Emits and plans a model within `budget` bytes of code. */
export function plan(model: Model, goal: Goal, budget: number): Planned {
  const nodes = nodesOf(model);
  const within = (external: boolean): Planned | undefined => planIn(model, nodes, goal, budget, external);
  const planned = within(false) ?? within(true);
  if (planned === undefined)
    throw new CompileError(
      'TooLarge',
      `the code exceeds ${budget} bytes with all weights in other contracts`,
      'Make the model smaller, or raise codeBudget on a chain without the limit of EIP-170.',
    );
  return planned;
}

/** The best program with all data behind the code, or all of it in other contracts; undefined if none fits. */
function planIn(
  model: Model,
  nodes: readonly Node[],
  goal: Goal,
  budget: number,
  external: boolean,
): Planned | undefined {
  const rows = new Map<number, number>();
  const run = (): Planned => {
    const choices = model.nodes.map((_, i): Choice | undefined => {
      const dataRows = rows.get(i);
      return dataRows === undefined ? undefined : { dataRows };
    });
    const data: DataContracts | undefined = external ? { limit: budget, contracts: [] } : undefined;
    return { ...emit(model, choices, data), choices };
  };
  const inCode = run();
  if (goal === 'gas' && !external && inCode.code.length <= budget) return inCode;
  for (const n of nodes) rows.set(n.index, n.rows);
  const inData = run();
  if (inData.code.length > budget && (external || goal === 'size')) {
    // nothing smaller is left but what a node in code saves
    for (const n of nodes) if (inCode.nodes[n.index]!.bytes < inData.nodes[n.index]!.bytes) rows.set(n.index, 0);
    const least = run();
    return least.code.length <= budget ? least : undefined;
  }
  const costs = nodes
    .map((n) => ({
      n,
      gas: inData.nodes[n.index]!.gas - inCode.nodes[n.index]!.gas,
      bytes: inCode.nodes[n.index]!.bytes - inData.nodes[n.index]!.bytes,
    }))
    .sort((p, q) => p.gas * q.bytes - q.gas * p.bytes);
  if (goal === 'size') {
    for (const { n, bytes } of costs) if (bytes <= 0) rows.set(n.index, 0);
    const small = run();
    return small.code.length <= budget ? small : undefined;
  }
  // Rows go to data where a byte saved costs least gas; the last node to go goes in part.
  for (const { n } of costs) rows.set(n.index, 0);
  for (const { n, bytes } of costs) {
    if (bytes <= 0) continue;
    rows.set(n.index, n.rows);
    let best = run();
    if (best.code.length > budget) continue;
    let [low, high] = [0, n.rows];
    while (high - low > 1) {
      const middle = floorDiv(low + high, 2);
      rows.set(n.index, middle);
      const tried = run();
      if (tried.code.length <= budget) [high, best] = [middle, tried];
      else low = middle;
    }
    return best;
  }
  return undefined;
}
