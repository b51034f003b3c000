/**
 * `npm run example:lending`: a lending contract on a chain whose validators run the credit score. Offers, loans at individual
 * rates, a rejected borrower, repayment and a default; the receipt that any borrower can check; a fairness table.
 * @module
 */
import { readFileSync } from 'node:fs';
import Table from 'cli-table3';
import pc from 'picocolors';
import { readNpy } from '../../src/cli/npy.ts';
import { commit, encodeHeader, headerHash, headerOf, receiptHash, receiptOf, traceRun } from '../../src/consensus.ts';
import { createPrecompile, toHex } from '../../src/evm.ts';
import { encodeModel } from '../../src/format.ts';
import { createSession, hex, loadModel, type Model } from '../../src/index.ts';
import { convertOnnx, quantizeInput } from '../../src/quant.ts';
import * as artifacts from '../artifacts.gen.ts';
import { Chain, type Deployed, type Party, type Sent } from '../chain.ts';

const ETHER = 10n ** 18n;
const PRECOMPILE = '0x0000000000000000000000000000000000005a17';
const FEATURES = 61;
const folder = new URL('../german-credit/', import.meta.url);

/** A borrower of the test set: his features, and the true label (1: a bad risk). */
interface Borrower {
  readonly row: number;
  readonly features: Float32Array;
  readonly bad: boolean;
}

function samples(name: string): Float32Array {
  const { data } = readNpy(readFileSync(new URL(name, folder)));
  return data as Float32Array;
}

/** The score as an integer model with an i16 output, converted as any author would. */
async function convertScore(): Promise<Model> {
  const onnx = new Uint8Array(readFileSync(new URL('model.onnx', folder)));
  const data = samples('calib.npy');
  const { graph } = await convertOnnx(onnx, {
    samples: { dtype: 'f32', shape: [data.length / FEATURES, FEATURES], data },
  });
  return loadModel(encodeModel(graph));
}

/** Canonical bytes of a borrower's features: what the contract is called with. */
function encode(model: Model, b: Borrower): Uint8Array {
  const q = quantizeInput(model.inputs[0]!, b.features);
  return new Uint8Array(q.data.buffer, q.data.byteOffset, q.data.byteLength);
}

function money(wei: bigint): string {
  return `${(Number(wei / 10n ** 14n) / 1e4).toFixed(4)} ETH`;
}

function percent(bps: bigint | number): string {
  return `${(Number(bps) / 100).toFixed(2)} %`;
}

/** Fixed-point parameters of the score for the contract: value = (q − zp)·mantissa / 2^shift. */
function scoreArgs(model: Model): [zeroPoint: bigint, mantissa: bigint, shift: bigint] {
  const { tensor, scale } = model.outputs[0]!;
  const { dtype, zp } = model.tensors[tensor]!;
  if (dtype !== 'i16' || scale === undefined) throw new Error(`the score is ${dtype}, the contract reads i16`);
  return [BigInt(zp), BigInt(scale.mantissa), BigInt(-scale.exponent)];
}

/** Everything the story needs. */
interface Stage {
  readonly chain: Chain;
  readonly lending: Deployed;
  readonly model: Model;
  readonly header: string;
  readonly borrowers: readonly Borrower[];
  readonly gas: Map<string, bigint>;
}

async function prepare(): Promise<Stage> {
  const model = await convertScore();
  const commitment = commit(model);
  const header = headerOf(commitment);
  const key = toHex(headerHash(header));
  const words = encodeHeader(header);
  const session = await createSession(model);
  const store = {
    header: (hash: Uint8Array) => (toHex(hash) === key ? words : undefined),
    session: () => session,
  };
  const chain = await Chain.create([{ address: PRECOMPILE, function: createPrecompile({ store }) }]);
  const deployer = await chain.party('deployer');
  const lending = await chain.deploy(deployer, artifacts.Lending, [PRECOMPILE, key, ...scoreArgs(model)]);
  const all = samples('test.npy');
  const labels = readNpy(readFileSync(new URL('labels.npy', folder))).data as Uint8Array;
  const borrowers = Array.from(labels, (bad, row) => ({
    row,
    bad: bad === 1,
    features: all.subarray(row * FEATURES, (row + 1) * FEATURES),
  }));
  return { chain, lending, model, header: key, borrowers, gas: new Map([['deploy', lending.gas]]) };
}

function must(sent: Sent, stage: Stage, what: string): Sent {
  if (sent.error !== undefined) throw new Error(`${what}: ${sent.error}`);
  if (!stage.gas.has(what)) stage.gas.set(what, sent.gas);
  return sent;
}

async function offers(stage: Stage): Promise<Party[]> {
  const lenders = await Promise.all(['Ada', 'Ben', 'Cleo'].map((name) => stage.chain.party(name)));
  const rates = [300n, 500n, 800n];
  for (const [i, lender] of lenders.entries())
    must(await stage.lending.send(lender, 'offer', [rates[i]!], 4n * ETHER), stage, 'offer');
  return lenders;
}

interface Quote {
  readonly risk: bigint;
  readonly rate: bigint;
  readonly collateral: bigint;
}

async function quote(stage: Stage, b: Borrower): Promise<Quote> {
  const [risk] = (await stage.lending.call('score', [toHex(encode(stage.model, b))])).value as [bigint, bigint];
  const [rate, collateral] = (await stage.lending.call('terms', [risk])).value as [bigint, bigint];
  return { risk, rate, collateral };
}

/** Borrows one ether from the offers that the borrower's rate pays for, the dearest first; says what came of it. */
async function borrow(stage: Stage, name: string, b: Borrower): Promise<{ readonly row: string[]; loan?: bigint }> {
  const { risk, rate, collateral } = await quote(stage, b);
  const ids = [2n, 1n, 0n].filter((id) => [300n, 500n, 800n][Number(id)]! <= rate);
  const party = await stage.chain.party(name);
  const args = [toHex(encode(stage.model, b)), ETHER, ids];
  const sent = await stage.lending.send(party, 'borrow', args, (ETHER * collateral) / 10_000n);
  const terms = [name, String(b.row), percent(risk), percent(rate), percent(collateral)];
  if (sent.error !== undefined) return { row: [...terms, pc.red(sent.error)] };
  if (!stage.gas.has('borrow')) stage.gas.set('borrow', sent.gas);
  const loan = sent.events.find((e) => e.name === 'Borrowed')!.args['loan'] as bigint;
  return { row: [...terms, pc.green(`loan ${loan}`)], loan };
}

/** The receipt of a score, made again on two backends: what any borrower can do at home. */
async function receipts(stage: Stage, b: Borrower): Promise<string> {
  const commitment = commit(stage.model);
  const found = new Set<string>();
  for (const backend of ['reference', 'wasm'] as const) {
    const session = await createSession(stage.model, { backend, mode: 'trace' });
    const q = quantizeInput(stage.model.inputs[0]!, b.features);
    const { trace } = await traceRun(commitment, session, { [stage.model.inputs[0]!.name]: q });
    found.add(hex(receiptHash('keccak256', receiptOf(headerOf(commitment), trace))));
    session.dispose();
  }
  if (found.size !== 1) throw new Error('two backends disagree');
  return [...found][0]!;
}

/** Groups of the data: columns of the features (examples/german-credit/README.md). */
const GROUPS: readonly (readonly [group: string, member: string, is: (f: Float32Array) => boolean])[] = [
  ['age', 'youngest quarter', (f) => f[4]! < -0.82],
  ['age', 'others', (f) => f[4]! >= -0.82],
  ['foreign worker', 'yes', (f) => f[59] === 1],
  ['foreign worker', 'no', (f) => f[60] === 1],
  ['marital status and sex', 'man, divorced', (f) => f[36] === 1],
  ['marital status and sex', 'woman, not single', (f) => f[37] === 1],
  ['marital status and sex', 'man, single', (f) => f[38] === 1],
  ['marital status and sex', 'man, married', (f) => f[39] === 1],
];

async function fairness(stage: Stage): Promise<string> {
  const quotes = await Promise.all(stage.borrowers.map((b) => quote(stage, b)));
  const table = new Table({
    head: ['group', 'member', 'people', 'lent to', 'mean rate', 'good, but rejected', 'bad, but lent to'],
    style: { head: [], border: [] },
  });
  const share = (list: readonly unknown[], of: readonly unknown[]): string =>
    of.length === 0 ? '' : percent((list.length / of.length) * 10_000);
  for (const [group, member, is] of GROUPS) {
    const members = stage.borrowers.map((b, i) => ({ b, q: quotes[i]! })).filter(({ b }) => is(b.features));
    const lent = members.filter(({ q }) => q.risk <= 5000n);
    const good = members.filter(({ b }) => !b.bad);
    const bad = members.filter(({ b }) => b.bad);
    const rate = lent.reduce((sum, { q }) => sum + Number(q.rate), 0) / Math.max(1, lent.length);
    table.push([
      group,
      member,
      members.length,
      share(lent, members),
      percent(rate),
      share(
        good.filter(({ q }) => q.risk > 5000n),
        good,
      ),
      share(
        bad.filter(({ q }) => q.risk <= 5000n),
        bad,
      ),
    ]);
  }
  return table.toString();
}

async function main(): Promise<void> {
  const stage = await prepare();
  const { chain, lending, borrowers } = stage;
  console.log(pc.bold('A lending contract that scores its borrowers itself'));
  console.log(
    `model ${hex(stage.model.id).slice(0, 16)}…  header ${stage.header.slice(0, 18)}…  contract ${lending.address}\n`,
  );

  const lenders = await offers(stage);
  const quotes = await Promise.all(borrowers.map((b) => quote(stage, b)));
  const byRisk = [...borrowers].sort((a, b) => Number(quotes[a.row]!.risk - quotes[b.row]!.risk));
  const chosen = [0.02, 0.2, 0.4, 0.6, 0.97].map((p) => byRisk[Math.floor(p * byRisk.length)]!);
  const table = new Table({
    head: ['borrower', 'test row', 'risk', 'rate', 'collateral', 'outcome'],
    style: { head: [], border: [] },
  });
  const loans: bigint[] = [];
  for (const [i, b] of chosen.entries()) {
    const { row, loan } = await borrow(stage, ['Dora', 'Emil', 'Finn', 'Gaia', 'Hugo'][i]!, b);
    table.push(row);
    if (loan !== undefined) loans.push(loan);
  }
  console.log(table.toString());
  if (loans.length !== 4) throw new Error(`four loans were expected, not ${loans.length}`);

  const dora = await chain.party('Dora');
  const [owed] = (await lending.call('loanOf', [loans[0]!])).value as [bigint];
  must(await lending.send(dora, 'repay', [loans[0]!], owed), stage, 'repay');
  console.log(`\nDora repays ${money(owed)}; her collateral is hers again.`);
  chain.advance(366n * 86_400n);
  must(await lending.send(lenders[2]!, 'seize', [loans[3]!]), stage, 'seize');
  console.log('Gaia does not: after a year her collateral goes to those who lent to her.');
  const before = await Promise.all(lenders.map((l) => lending.call('balances', [l.address.toString()])));
  console.log(`Lenders may withdraw ${before.map((b) => money(b.value as bigint)).join(', ')}.`);
  must(await lending.send(lenders[0]!, 'cancel', [0n]), stage, 'cancel');
  must(await lending.send(lenders[0]!, 'withdraw', []), stage, 'withdraw');

  console.log(`\nReceipt of Dora's score, the same on reference and wasm: ${await receipts(stage, chosen[0]!)}`);
  console.log('\nGas (whole transactions)');
  for (const [what, gas] of stage.gas) console.log(`  ${what.padEnd(10)} ${String(gas).padStart(9)}`);
  console.log('\nWho is lent to: the weights are public, so everybody can ask (250 people of the test set)');
  console.log(await fairness(stage));
}

await main();
