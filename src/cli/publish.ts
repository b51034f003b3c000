/**
 * `samebit publish` and `samebit hold`: a model on offer, and a validator's word that its body is at hand (spec/50-market.md §2, §4).
 * @module
 */
import type { Command } from 'commander';
import { keccak256 } from '../consensus/keccak.ts';
import { encodeCall } from '../evm/calldata.ts';
import { type Hex, toHex } from '../evm.ts';
import { METRICS, type Metric } from '../market/accuracy.ts';
import { Blob } from '../market/blobs.ts';
import { type Contract, collect as collectDue, same } from '../market/client.ts';
import { isSomebody, publishStep, readOffer, releaseBond, type Stand } from '../market/publish.ts';
import { hold as heldOf, Shelf } from '../market/runs.ts';
import { answer, type Board, claimScore, Measured } from '../market/scores.ts';
import { loadModel } from '../runtime/load.ts';
import { ArrayError } from './array-errors.ts';
import { checkFlags, Node, type NodeFlags, nodeOptions, readKey } from './chain.ts';
import { UsageError } from './errors.ts';
import { readArray, readBytes, readModel } from './files.ts';
import { readyInput } from './inputs.ts';
import { choice, wei, whole } from './options.ts';
import { ownInputs } from './signature.ts';

/** A data set and a metric, as flags name them. */
export interface DataFlags {
  readonly accuracy?: string;
  readonly data?: string;
  readonly labels?: string;
  readonly metric: Metric;
  readonly rows?: number;
}

interface Flags extends NodeFlags, DataFlags {
  readonly market: string;
  readonly price: bigint;
  readonly task: string;
  readonly uri: string;
  readonly dataUri: string;
  readonly once?: boolean;
  readonly defend?: boolean;
}

/** Adds the options of a data set. */
export function dataOptions(command: Command): Command {
  return command
    .option('--accuracy <ADDRESS>', 'the contract of scores')
    .option('--data <F.npy>', 'rows of the data set, the first axis is the row')
    .option('--labels <L.npy>', 'label of each row')
    .option('--metric <NAME>', `what a row adds to the score: ${METRICS.join(' or ')}`, choice(METRICS), 'top1')
    .option('--rows <N>', 'the first N rows', whole(1, 2 ** 20));
}

/** Runs every row of a data set. @throws UsageError, ArrayError */
export async function measure(shelf: Shelf, key: Hex, flags: DataFlags): Promise<Measured> {
  const { model } = shelf.get(key)!;
  if (flags.data === undefined || flags.labels === undefined)
    throw new UsageError('NoData', 'a score needs a data set', 'Pass --data ROWS.npy and --labels LABELS.npy.');
  const [input, ...more] = ownInputs(model);
  if (input === undefined || more.length > 0 || model.symbols.length > 0)
    throw new UsageError(
      'NotScored',
      'scores are of models with one input and no symbols',
      'Publish without --accuracy.',
    );
  const [data, labels] = [readArray(flags.data), readArray(flags.labels)];
  const count = Math.min(labels.data.length, flags.rows ?? labels.data.length);
  if ((data.shape[0] ?? 0) < count)
    throw new ArrayError('WrongShape', `${count} labels, but ${data.shape[0] ?? 0} rows`);
  const bad = labels.data.slice(0, count).findIndex((v) => !Number.isInteger(v));
  if (bad >= 0) throw new ArrayError('BadLabel', `label ${bad} is no whole number`);
  const rows = Array.from({ length: count }, (_, i) =>
    encodeCall(model, { [input.name]: readyInput(model, input, data, i).tensor }),
  );
  const whole = Array.from(labels.data.slice(0, count), (v) => BigInt(v));
  return Measured.make(shelf, key, rows, whole, flags.metric);
}

/** A salt that only the holder of the key knows, the same whenever it is asked for. */
function saltOf(keyFile: string, header: Hex): Hex {
  return toHex(keccak256(new TextEncoder().encode(`samebit salt ${readKey(keyFile)} ${header}`)));
}

async function publish(path: string, flags: Flags): Promise<void> {
  await checkFlags(flags, { market: flags.market, ...(flags.accuracy ? { accuracy: flags.accuracy } : {}) });
  const bytes = readBytes(path);
  const shelf = new Shelf([readModel(path)]);
  const key = shelf.keys[0]!;
  const measured = flags.accuracy === undefined ? undefined : await measure(shelf, key, flags);
  const node = await Node.connect(flags);
  const market = await node.contract('market', flags.market);
  const registry = await node.contract('registry', await market.read<Hex>('REGISTRY'));
  const { root: content, size } = new Blob(bytes);
  const { price, task, uri } = flags;
  const salt = saltOf(flags.key, key);
  const stand: Stand = { market, registry };
  let listed = false;
  await node.loop(flags.once, async () => {
    const due = await publishStep(node, stand, shelf.get(key)!, salt, { price, content, size, task, uri });
    listed = due === undefined;
    if (due === undefined) return true;
    node.say({ event: 'wait', header: key, until: due }, `next step in ${due - (await node.now())} seconds`);
    return false;
  });
  if (!listed) return; // --once: the next look goes on
  const [{ held }, live] = [await readOffer(market, key), await market.read<boolean>('isLive', [key])];
  const text = live
    ? 'calls run'
    : `calls run once the header is mature and ${await market.read('QUORUM')} validators hold the body`;
  node.say({ event: 'listed', header: key, content, size, held, live }, `${key} is on offer; ${text}`);
  await account(node, stand, key, flags, measured);
}

/** Scores, and what the offer brings: bonds that come back, fees, the price of calls. */
async function account(
  node: Node,
  { market, registry }: Stand,
  key: Hex,
  flags: Flags,
  measured: Measured | undefined,
): Promise<void> {
  let board: Board | undefined;
  let score: bigint | undefined;
  await node.loop(flags.once || !flags.defend, async () => {
    const mature = await registry.read<boolean>('isMature', [key]);
    if (measured !== undefined && mature) {
      if (board === undefined) {
        const accuracy = await node.contract('accuracy', flags.accuracy!);
        board = { accuracy, dispute: await node.contract('dispute', await accuracy.read<Hex>('DISPUTE')) };
      }
      score ??= await claimScore(node, board, measured, flags.dataUri);
      await answer(node, board, score, measured);
      await collectDue(node, board.accuracy, 'the contract of scores');
      await collectDue(node, board.dispute, 'the dispute contract');
    } else if (measured !== undefined) {
      const text = 'the score is claimed once the header is mature: run again then, or with --defend';
      node.say({ event: 'immature', header: key }, text);
    }
    await releaseBond(node, registry, key);
    await collectDue(node, registry, 'the registry');
    await collectDue(node, market, 'the market');
  });
}

/** A validator's word that it has the body of an offer. */
async function hold(path: string, flags: NodeFlags & { readonly market: string }): Promise<void> {
  await checkFlags(flags, { market: flags.market });
  const bytes = readBytes(path);
  const { key } = heldOf(loadModel(bytes));
  const node = await Node.connect(flags);
  const market: Contract = await node.contract('market', flags.market);
  const { author, content } = await readOffer(market, key);
  if (!isSomebody(author))
    throw new UsageError('NotListed', `${key} is not on offer`, 'Pass the body of a model that is.');
  if (!same(content, new Blob(bytes).root))
    throw new UsageError('OtherBody', 'the offer names another content root', 'Fetch the body again from a peer.');
  if (await market.read<boolean>('holds', [key, node.account])) {
    node.say({ event: 'held', header: key }, `this account holds ${key} already`);
    return;
  }
  await market.send('hold', [key]);
  node.say({ event: 'hold', header: key }, `said that this account holds ${key}`);
}

/** Adds both commands. */
export function addPublish(program: Command): void {
  const publishing = nodeOptions(program.command('publish <MODEL.sbm>'))
    .description(
      'put a model on offer: commit, register, list; again to go on or to change the price (contracts/market/Market.sol)',
    )
    .requiredOption('--market <ADDRESS>', 'the market')
    .requiredOption('--price <WEI>', 'what a call costs', wei)
    .option('--task <WORDS>', 'what the model does', '')
    .option('--uri <URL>', 'where the body is served', '')
    .option('--data-uri <URL>', 'where the data set of the score is served', '');
  dataOptions(publishing)
    .option('--defend', 'go on: answer for the score, take back bonds, withdraw what calls bring')
    .option('--once', 'look at the chain once, then end')
    .action(publish);
  nodeOptions(program.command('hold <MODEL.sbm>'))
    .description('say, as a validator, that this machine holds the body of a model on offer')
    .requiredOption('--market <ADDRESS>', 'the market')
    .action(hold);
}
