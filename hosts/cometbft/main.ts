/**
 * `npm run hosts:cometbft`: four CometBFT validators, two with an application in TypeScript on this library and two with one in Go
 * on compiled modules, agree on every app hash; a validator with a wrong bit falls out, crashed ones catch up, a partition heals.
 * README.md says what the application is. Needs Go. Writes the part `cometbft` of HOSTS.md.
 *
 *   --txs N       questions of the first load, from 40 (default 300)
 *   --fuzz N      random transactions to both applications (default 4000), --seed S
 *   --links KIND  `namespaces` or `proxies`; default namespaces where the machine allows them
 *   --json FILE   the figures
 *   --out FILE    the file of the part (default HOSTS.md)
 *   --keep        leaves the folder of the run, with all logs
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArgs } from '../../scripts/args.ts';
import { checkOut, writePart } from '../parts.ts';
import { build, version } from './network.ts';
import { table } from './report.ts';
import { type Settings, story } from './story.ts';

const { values } = readArgs({
  options: {
    txs: { type: 'string', default: '300' },
    fuzz: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
    links: { type: 'string' },
    json: { type: 'string' },
    out: { type: 'string', default: join(import.meta.dirname, '../../HOSTS.md') },
    keep: { type: 'boolean', default: false },
  },
});
checkOut(values.out);
const numbers = [values.txs, values.fuzz, values.seed];
const whole = numbers.every((v) => /^\d{1,9}$/.test(v)) && Number(values.txs) >= 40;
if (!whole || !['namespaces', 'proxies', undefined].includes(values.links)) {
  console.error('--txs (from 40), --fuzz and --seed are whole numbers, --links is namespaces or proxies');
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const [txs, fuzz, seed] = numbers.map(Number) as [number, number, number];
console.log(`building CometBFT ${version()} and the application in Go`);
build();
const settings: Settings = { txs, fuzz, seed, links: values.links, keep: values.keep };
const figures = await story(settings, console.log);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 1)}\n`);
writePart(values.out, 'cometbft', table(figures, version()));
