/**
 * `npm run example:creature`: a game of creatures whose looks and behaviour are networks in a contract. Care and fights change what they do
 * later, breeding mixes their genes within proved bounds, and 1,000 matches replay to one digest on every engine.
 * `-- --page FILE` writes their pictures as a page; `--matches N` replays more or fewer.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pc from 'picocolors';
import { concat, type Hex, hexToBytes, keccak256, toHex } from 'viem';
import * as artifacts from '../artifacts.gen.ts';
import type { Deployed, Party } from '../chain.ts';
import { createHost, type Engine, enginesOf, PRECOMPILE } from '../host.ts';
import { ACTIONS, CARES, type Creature, care, fight, newborn } from './game.ts';
import { faceModel, founders, type Genome, MOST, mindModel } from './models.ts';
import { colours, page, picture, terminal } from './page.ts';
import { actions, distance, life, permutationTest } from './study.ts';

const { values: options } = parseArgs({
  options: { matches: { type: 'string', default: '1000' }, page: { type: 'string' }, gpu: { type: 'boolean' } },
});
const SITUATIONS = 400;

function assert(ok: boolean, what: string): void {
  if (!ok) throw new Error(what);
}

const i8 = (hex: Hex): Int8Array => Int8Array.from(new Int8Array(hexToBytes(hex).buffer));

async function must(contract: Deployed, from: Party, name: string, args: readonly unknown[]) {
  const sent = await contract.send(from, name, args);
  if (sent.error !== undefined) throw new Error(`${name}: ${sent.error}`);
  return sent;
}

async function genomeOf(contract: Deployed, id: number): Promise<Genome> {
  const [looks, genes] = (await contract.call('genome', [id])).value as [Hex, Hex];
  const all = i8(genes);
  return { looks: i8(looks), genes1: all.slice(0, 256), genes2: all.slice(256) };
}

async function stateOf(contract: Deployed, id: number): Promise<string> {
  const [, state, needs, wins, fights] = (await contract.call('being', [id])).value as [
    string,
    Hex,
    number[],
    number,
    number,
  ];
  return [...i8(state), ...needs, wins, fights].join();
}

const stateHere = (c: Creature): string => [...c.state, c.hunger, c.energy, c.mood, c.wins, c.fights].join();

/** Matches among copies of newborn creatures; one digest over all of them. */
async function tournament(engine: Engine, genomes: readonly Genome[], matches: number): Promise<Hex> {
  const all = genomes.map(newborn);
  let digest: Hex = `0x${'00'.repeat(32)}`;
  for (let m = 0; m < matches; m++) {
    const a = m % all.length;
    const b = (a + 1 + (Math.floor(m / all.length) % (all.length - 1))) % all.length;
    for (const c of [all[a]!, all[b]!]) if (c.energy < 20) c.energy = 100; // a night's rest
    const outcome = await fight(engine, [a, b], [all[a]!, all[b]!], toHex(m, { size: 32 }));
    digest = keccak256(concat([digest, outcome.digest]));
  }
  return digest;
}

const [mind, face] = [mindModel(), faceModel()];
const host = await createHost([mind, face]);
const player = await host.chain.party('player');
const contract = await host.chain.deploy(player, artifacts.Creature, [PRECOMPILE, ...host.keys]);
const engines = await enginesOf(mind);
const faces = await enginesOf(face);
const wasm = engines.find((e) => e.name === 'wasm')!;
console.log(pc.bold('Creatures\n'));

const gas = new Map<string, bigint>([['deploy', contract.gas]]);
const names: string[] = [];
for (const [name, { looks, genes1, genes2 }] of founders()) {
  const genes = concat([toHex(new Uint8Array(genes1.buffer)), toHex(new Uint8Array(genes2.buffer))]);
  gas.set('found', (await must(contract, player, 'found', [toHex(new Uint8Array(looks.buffer)), genes])).gas);
  names.push(name);
}

// what no genome may be
const wide = new Int8Array(480);
wide[17] = MOST + 1;
const refused = await contract.send(player, 'found', [`0x${'00'.repeat(12)}`, toHex(new Uint8Array(wide.buffer))]);
assert(refused.error === 'BadGenome', 'a gene outside the bound was taken');
const rejected = await wasm
  .run({ senses: new Int8Array(8), state: new Int8Array(8), genes1: wide.subarray(0, 256), genes2: wide.subarray(256) })
  .then(
    () => false,
    () => true,
  );
assert(rejected, 'the runtime took a gene outside the bound');
const bounds = mind.nodes.flatMap((n, i) => (n.op === 'matmul' ? [mind.info[i]!.facts['bound']!] : []));
console.log(
  `Genes within ±${MOST}: accumulators of the mind are proved to stay within ±${bounds.map((b) => b.toLocaleString('en')).join(', ±')}`,
);

// breeding
for (const [a, b] of [
  [0, 1],
  [1, 2],
  [2, 0],
  [3, 4],
  [4, 5],
] as const) {
  gas.set('breed', (await must(contract, player, 'breed', [a, b])).gas);
  names.push(`child of ${a} and ${b}`);
}
const genomes = await Promise.all(names.map((_, id) => genomeOf(contract, id)));
assert(
  genomes.every((g) => [g.looks, g.genes1, g.genes2].every((p) => p.every((v) => Math.abs(v) <= MOST))),
  'breeding left the bound',
);

// looks
const pictures = await Promise.all(genomes.map((g) => picture(face, faces[0]!, g.looks)));
for (const [id, p] of pictures.entries()) {
  for (const engine of faces)
    assert((await picture(face, engine, genomes[id]!.looks)).join() === p.join(), 'faces differ');
  const seen = (await contract.call('picture', [id])).value as Hex;
  const { dtype } = face.tensors[face.outputs[0]!.tensor]!;
  const bytes = hexToBytes(seen);
  const pixels = dtype === 'i16' ? new Int16Array(bytes.slice().buffer) : new Int8Array(bytes.slice().buffer);
  assert(colours(face, pixels).join() === p.join(), 'the contract shows another face');
}
if (process.stdout.isTTY) {
  const drawn = pictures.slice(0, 4).map(terminal);
  console.log(`\n${drawn[0]!.map((_, row) => drawn.map((d) => d[row]).join('  ')).join('\n')}`);
  console.log(
    names
      .slice(0, 4)
      .map((n) => n.padEnd(26))
      .join(''),
  );
}
console.log(pc.green(`${pictures.length} faces, the same in the contract and on ${faces.length} engines`));

// care and a match on the chain, replayed here
const here = genomes.map(newborn);
const did: string[] = [];
for (const kind of [3, 1, 0, 3, 2, 1, 3, 0]) {
  const sent = await must(contract, player, 'care', [2, kind]);
  gas.set('care', sent.gas);
  const action = await care(wasm, here[2]!, kind);
  assert(sent.events[0]!.args['action'] === action, 'the creature on the chain did something else');
  did.push(`${CARES[kind]}: ${ACTIONS[action]}`);
}
console.log(`\nmerry answers — ${did.join(', ')}`);
const salt = keccak256(toHex('salt'));
for (const engine of engines) {
  const pair = [here[0]!, here[1]!].map((c) => ({ ...c })) as [Creature, Creature];
  const outcome = await fight(engine, [0, 1], pair, salt);
  if (engine === wasm) [here[0], here[1]] = pair;
  const sent = gas.has('fight') ? undefined : await must(contract, player, 'fight', [0, 1, salt]);
  if (sent !== undefined) {
    gas.set('fight', sent.gas);
    assert(sent.events[0]!.args['digest'] === outcome.digest, 'the match on the chain went another way');
    console.log(
      `bold fights shy: ${['bold wins', 'shy wins', 'a draw'][outcome.winner]}; digest ${outcome.digest.slice(0, 18)}…`,
    );
  }
}
for (const id of [0, 1, 2]) assert((await stateOf(contract, id)) === stateHere(here[id]!), 'states differ');

// behaviour before and after
const table = new Table({ head: ['creature', 'life', ...ACTIONS, 'distance', 'p'], style: { head: [], border: [] } });
const changes: number[] = [];
for (const [id, name] of names.slice(0, 3).entries()) {
  const before = await actions(wasm, newborn(genomes[id]!), SITUATIONS);
  const shares = (a: Uint8Array): string[] =>
    ACTIONS.map((_, k) => `${((100 * a.filter((v) => v === k).length) / a.length).toFixed(0)} %`);
  table.push([name, 'newborn', ...shares(before), '', '']);
  for (const [what, kindness] of [
    ['100 kind', 100],
    ['100 harsh', 0],
  ] as const) {
    const c = newborn(genomes[id]!);
    await life(wasm, c, 100, kindness);
    const after = await actions(wasm, c, SITUATIONS);
    const p = permutationTest(before, after, 2000);
    changes.push(p);
    table.push(['', what, ...shares(after), distance(before, after).toFixed(3), p.toFixed(4)]);
  }
  const c = newborn(genomes[id]!);
  const foe = newborn(genomes[(id + 1) % 3]!);
  for (let i = 0; i < 100; i++) await fight(wasm, [id, 7], [c, foe], toHex(i, { size: 32 }));
  const after = await actions(wasm, c, SITUATIONS);
  const p = permutationTest(before, after, 2000);
  changes.push(p);
  table.push(['', '100 fights', ...shares(after), distance(before, after).toFixed(3), p.toFixed(4)]);
}
console.log(
  `\nActions in ${SITUATIONS} situations, total variation distance from the newborn, paired permutation test`,
);
console.log(table.toString());
console.log(`${changes.filter((p) => p < 0.01).length} of ${changes.length} lives changed behaviour at p < 0.01`);
assert(changes.filter((p) => p < 0.01).length >= 6, 'lives leave no mark');

// replay
const matches = Number(options.matches);
console.log(`\n${matches} matches among ${genomes.length} creatures`);
const digests = new Set<string>();
for (const engine of engines) {
  const started = performance.now();
  const digest = await tournament(engine, genomes, matches);
  digests.add(digest);
  console.log(`  ${engine.name.padEnd(10)} ${digest}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
assert(digests.size === 1, 'engines replayed the matches differently');
console.log(pc.green(`  one digest on ${engines.length} engines`));

console.log(`\nGas: ${[...gas].map(([what, g]) => `${what} ${g.toLocaleString('en')}`).join(', ')}`);
if (options.page !== undefined) {
  writeFileSync(
    options.page,
    page(
      pictures.map((p, i) => ({
        picture: p,
        lines: [`${i}: ${names[i]}`, `won ${here[i]!.wins} of ${here[i]!.fights}`],
      })),
    ),
  );
  console.log(`page: ${options.page}`);
}
