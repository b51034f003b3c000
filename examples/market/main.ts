/**
 * `npm run example:market`: an author, a buyer, an honest and a cheating worker, each a process of its own, on a chain behind JSON-RPC.
 * Every lie of the cheat is caught, his bonds pay for the challenges, the honest worker does the jobs again and is paid.
 * `--lies N`: how many lies (default 4). `--write`: writes the table of gas into docs/marketplace.md.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pc from 'picocolors';
import { type Game, PHASES, toHex } from '../../src/evm.ts';
import { loadModel } from '../../src/index.ts';
import { hold } from '../../src/market/runs.ts';
import type { Party } from '../chain.ts';
import { GasBook } from './gas.ts';
import { openPlace, TERMS } from './place.ts';

const { values } = parseArgs({
  options: {
    lies: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean' },
  },
});
const LIES = Number(values.lies);
const FEE = 10n ** 15n;
const PRICE = 10n ** 13n;
const ROWS = 20;
const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
const [PICTURES, LABELS] = ['test', 'labels'].map((f) => join(ROOT, `examples/mnist/${f}.npy`)) as [string, string];
/** Phases in which a game waits for the asserter. */
const ASSERTERS = new Set(['children', 'root', 'chunk', 'sums', 'output']);

const started = performance.now();
const model = loadModel(new Uint8Array(readFileSync(MODEL)));
const { key: header } = hold(model);
const place = await openPlace([model]);
const { chain, node, contracts, validators } = place;
const { market, jobs, dispute, accuracy } = contracts;
const book = new GasBook(place);
const folder = mkdtempSync(join(tmpdir(), 'samebit-market-'));
const children: ChildProcess[] = [];
process.on('exit', () => {
  for (const c of children) c.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

type Line = Readonly<Record<string, unknown>> & { readonly event: string };
const COLOURS = { author: pc.blue, buyer: pc.cyan, worker: pc.green, cheat: pc.red, chain: pc.dim };
type Name = keyof typeof COLOURS;

function tell(name: Name, text: string): void {
  console.log(`${COLOURS[name](name.padEnd(7))} ${text}`);
}

const lines: Readonly<Record<Name, Line[]>> = { author: [], buyer: [], worker: [], cheat: [], chain: [] };
const parties = {} as Record<Exclude<Name, 'chain'>, Party>;
const keys = {} as Record<Exclude<Name, 'chain'>, string>;
const names: (keyof typeof parties)[] = ['author', 'buyer', 'worker', 'cheat'];
for (const name of names) {
  parties[name] = await chain.party(`market ${name}`);
  book.name(parties[name], name);
  keys[name] = join(folder, name);
  writeFileSync(keys[name], toHex(parties[name].key));
}

/** Starts a process of a party; what it prints is told. */
function start(name: Exclude<Name, 'chain'>, script: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, script), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  createInterface({ input: child.stdout! }).on('line', (text) => {
    const { time: _, ...line } = JSON.parse(text) as Line & { readonly time: string };
    lines[name].push(line as Line);
    const { event, ...facts } = line;
    if (event === 'move' || event === 'wait') return;
    const shown = Object.entries(facts).filter(([k]) => !['outputs', 'receipt', 'headers', 'uri'].includes(k));
    tell(name, `${event}${shown.map(([k, v]) => ` ${k}=${String(v).slice(0, 18)}`).join('')}`);
  });
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) {
      tell(name, `ended with ${code}`);
      process.exit(1);
    }
  });
  return child;
}

/** A command of the command line. */
function run(name: Exclude<Name, 'chain'>, command: string, ...args: readonly string[]): ChildProcess {
  const flags = ['--rpc', node.url, '--key', keys[name], '--interval', '0.3', '--json'];
  return start(name, 'src/cli/main.ts', [command, MODEL, ...flags, ...args]);
}

async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 60 + 40 * LIES,
): Promise<void> {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
    if (await condition()) return;
    await pause(100);
  }
  throw new Error(`in vain: ${what}`);
}

function said(name: Name, event: string): number {
  return lines[name].filter((l) => l.event === event).length;
}

function pass(seconds: bigint, why: string): void {
  chain.advance(seconds);
  tell('chain', `${seconds} seconds pass: ${why}`);
}

const read = async <T>(contract: typeof jobs, name: string, args: readonly unknown[] = []): Promise<T> =>
  (await contract.call(name, args)).value as T;

// ---- on offer
const about = ['--price', String(PRICE), '--task', 'handwritten digits', '--accuracy', accuracy.address];
const data = ['--data', PICTURES, '--labels', LABELS, '--rows', String(ROWS)];
run('author', 'publish', '--market', market.address, ...about, ...data, '--defend');
await until('the commitment', () => said('author', 'commit') > 0);
pass(600n, 'a commitment is as old as it must be');
await until('the listing', () => said('author', 'listed') > 0);
for (const v of validators) await node.alone(() => market.send(v, 'hold', [header]));
pass(TERMS.delay, 'nobody proved the header false');
await until('the score', () => said('author', 'score') > 0);

// ---- a call on chain
const index = ['--input', PICTURES, '--index', '0'];
run('buyer', 'buy', '--market', market.address, ...index, '--max-price', String(2n * PRICE));
await until('a paid call', () => said('buyer', 'withdrawal') > 0);

// ---- jobs, all answered by lies
const tail = [node.url, jobs.address];
start('buyer', 'examples/market/buyer.ts', [...tail, keys.buyer, MODEL, PICTURES, LABELS, String(LIES), String(FEE)]);
await until('the jobs', () => said('buyer', 'open') === LIES);
start('cheat', 'examples/market/cheat.ts', [...tail, keys.cheat, MODEL, String(LIES), values.seed]);
await until('the lies', () => said('cheat', 'lie') === LIES);

// ---- caught
run('worker', 'serve-job', '--jobs', jobs.address, '--challenge');
let quiet = { state: '', since: Date.now() };
const over = new Set<bigint>();
await until('the end of all jobs', async () => {
  await pause(900);
  const open: Game[] = [];
  const state = `${lines.worker.length} ${node.blocks}`;
  if (state !== quiet.state) quiet = { state, since: Date.now() };
  else if (Date.now() - quiet.since > 3000) {
    const count = await node.alone(() => read<bigint>(dispute, 'gameCount'));
    for (let g = 1n; g <= count; g++) {
      if (over.has(g)) continue;
      const game = await node.alone(() => read<Game>(dispute, 'getGame', [g]));
      if (PHASES[game.phase] === 'done') over.add(g);
      else open.push(game);
    }
    if (open.length > 0 && open.every((g) => ASSERTERS.has(PHASES[g.phase]!)))
      pass(TERMS.move + 1n, `the cheat does not move in ${open.length} games`);
    else if (open.length === 0 && said('worker', 'deliver') === LIES)
      pass(TERMS.window, 'nobody challenges the answers');
    quiet = { state, since: Date.now() };
  }
  return (
    said('buyer', 'answers') > 0 &&
    (await node.alone(() => read<bigint>(jobs, 'balances', [parties.worker.address.toString()]))) === 0n
  );
});
pass(TERMS.period, 'nobody refuted the score');
await until('the score stands', () => said('author', 'scored') > 0);
for (const c of children) c.kill('SIGKILL');

// ---- who has what
const claims = await read<bigint>(dispute, 'claimCount');
let caught = 0;
let stood = 0;
for (let id = 1n; id <= claims; id++) {
  const c = await read<{ readonly asserter: string; readonly defeated: boolean }>(dispute, 'getClaim', [id]);
  const cheats = c.asserter.toLowerCase() === parties.cheat.address.toString();
  if (cheats && c.defeated) caught++;
  if (!cheats && !c.defeated) stood++;
}
const ETHER = 1000n * 10n ** 18n;
const gains = Object.fromEntries(
  await Promise.all(
    names.map(async (n) => [n, (await chain.balance(parties[n].address)) - ETHER + book.paid(n)] as const),
  ),
) as Record<(typeof names)[number], bigint>;
const expected = {
  author: PRICE,
  buyer: -PRICE - BigInt(LIES) * (FEE - TERMS.deposit),
  worker: BigInt(LIES) * (FEE + TERMS.bond / 2n),
  cheat: -BigInt(LIES) * (TERMS.bond + TERMS.deposit),
};
const table = new Table({ head: ['party', 'gained, in ether, beside gas', 'gas'], style: { head: [], border: [] } });
for (const n of names) table.push([n, (Number(gains[n]) / 1e18).toFixed(6), book.gasOf(n)]);
console.log(table.toString());
const cost = book.challengeCost(LIES);
const gwei = Number(TERMS.bond / 2n / cost.most) / 1e9;
console.log(`${caught} of ${LIES} lies were caught, ${stood} honest answers stand.`);
console.log(
  `A challenge took its winner ${cost.mean} gas (${cost.most} at most): half the bond covers it up to ${gwei.toFixed(0)} gwei a gas.`,
);
for (const n of names) if (gains[n] !== expected[n]) throw new Error(`${n} gained ${gains[n]}, not ${expected[n]}`);
if (caught !== LIES || stood !== LIES) throw new Error('a lie was not caught, or an honest answer fell');
if (values.write) book.write(join(ROOT, 'docs/marketplace.md'), cost, LIES);
console.log(`done in ${((performance.now() - started) / 1000).toFixed(0)} s`);
process.exit(0);
