/**
 * The part of HOSTS.md about CometBFT.
 * @module
 */
import { sourcesHash } from '../../scripts/sources.ts';
import { BLOCK_GAS } from './models.ts';
import { TIMEOUTS } from './network.ts';
import type { Figures } from './story.ts';

const HALVES = {
  namespaces: 'in network namespaces whose bridge is cut',
  proxies: 'on loopback, through proxies that are cut',
};

/** The part as Markdown. */
export function table({ fuzzed, load, fallen, crashed, parted, audited, seconds }: Figures, version: string): string {
  const count = (n: number): string => n.toLocaleString('en');
  const full = Math.round(load.txs / load.blocks / 2);
  const rows: readonly (readonly [string, string])[] = [
    [
      `${load.txs} questions at once`,
      `${load.blocks} blocks, ${(load.txs / load.seconds).toFixed(0)} questions a second, ${load.blockMs.mean} ms a block (${load.blockMs.least} to ${load.blockMs.most})`,
    ],
    ...fallen.map(
      (x) =>
        [
          `wrong bit, ${x.kind}`,
          `out after block ${x.height}; the other three went on; reset, it came back: \`${x.said}\``,
        ] as const,
    ),
    ...crashed.map(
      (x) =>
        [
          `killed, ${x.kind}, ${x.lost} lost`,
          `application ${x.behind} blocks behind; with the others ${x.seconds} s after the start, ${x.replayed} blocks given to it anew from the node's own store`,
        ] as const,
    ),
    [
      `two apart from two, ${HALVES[parted.links]}`,
      `no block for ${parted.seconds} s; all questions of that time answered ${parted.healed} s after healing`,
    ],
    [
      'at the end',
      `${count(audited.heights)} heights, ${count(audited.answers)} answers: one app hash a height on all four and in a replay on the reference backend, the last \`${audited.appHash.slice(0, 16)}\``,
    ],
  ];
  return `## CometBFT

Written by \`npm run hosts:cometbft\` (\`hosts/cometbft/\`) in ${seconds.toFixed(0)} s; sources: \`${sourcesHash()}\`.

Four validators of CometBFT ${version} on one machine: two with an application in TypeScript on the wasm backend, two with one in Go that runs the
modules of \`toWasm\` on wazero. mnist-cnn and german-credit-mlp answer transactions. Before the network starts, ${count(fuzzed.txs)} random
transactions went to both applications: no answer differed. Blocks wait ${TIMEOUTS.TIMEOUT_COMMIT} after a commit and hold ${count(BLOCK_GAS)} gas, about ${full}
runs of mnist-cnn with as many of the other, which bounds the throughput; the machine is shared.

| what | came of it |
| --- | --- |
${rows.map(([what, came]) => `| ${what} | ${came} |`).join('\n')}
`;
}
