/**
 * `npx tsx examples/market/devnet.ts MODEL.sbm...`: a chain in one process on which these models can be offered, for trying the commands
 * out. Writes key files into .samebit/keys, prints the addresses as shell variables, and runs until it is stopped. Time passes when told to
 * (`evm_increaseTime`).
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModel } from '../../src/cli/files.ts';
import { toHex } from '../../src/evm.ts';
import { openPlace } from './place.ts';

const KEYS = '.samebit/keys';

const { chain, node, contracts, validators } = await openPlace(process.argv.slice(2).map(readModel));
mkdirSync(KEYS, { recursive: true });
const names = ['author', 'buyer', 'worker', 'watcher'];
const parties = [...(await Promise.all(names.map((n) => chain.party(n)))), ...validators];
for (const [i, { key }] of parties.entries())
  writeFileSync(join(KEYS, names[i] ?? `validator${i - names.length + 1}`), toHex(key), { mode: 0o600 });
console.log(`RPC=${node.url}`);
for (const [name, { address }] of Object.entries(contracts)) console.log(`${name.toUpperCase()}=${address}`);
