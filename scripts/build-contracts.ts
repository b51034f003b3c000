/**
 * Compiles contracts/ and those of examples and tests, and writes an artifacts.gen.ts for each of the three: bytecode and ABI of
 * each contract. `--check` fails where a file differs: the compiler is pinned, so the same sources give the same bytes
 * everywhere.
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** Files of artifacts by the folder of their sources. */
const TARGETS: Readonly<Record<string, string>> = {
  contracts: 'src/evm/artifacts.gen.ts',
  examples: 'examples/artifacts.gen.ts',
  'test/evm': 'test/evm/artifacts.gen.ts',
};
/** The largest runtime code that a chain takes (EIP-170). */
const CODE_LIMIT = 24_576;

interface Message {
  readonly severity: string;
  readonly formattedMessage: string;
}
interface Compiled {
  readonly abi: readonly unknown[];
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: { readonly object: string };
  };
}

const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };

function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.sol'))
    .map((e) => join(e.parentPath, e.name).slice(ROOT.length + 1))
    .sort();
}

const sources = Object.fromEntries(
  Object.keys(TARGETS)
    .flatMap(sourcesIn)
    .map((p) => [p, { content: readFileSync(join(ROOT, p), 'utf8') }]),
);
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: 'Solidity',
      sources,
      settings: {
        optimizer: { enabled: true, runs: 1000 },
        viaIR: true,
        evmVersion: 'shanghai',
        metadata: { bytecodeHash: 'none', appendCBOR: false },
        outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
      },
    }),
  ),
) as { readonly errors?: readonly Message[]; readonly contracts?: Record<string, Record<string, Compiled>> };

for (const e of output.errors ?? []) console.error(e.formattedMessage);
if ((output.errors ?? []).length > 0) process.exit(1);

const check = process.argv.includes('--check');
for (const [folder, target] of Object.entries(TARGETS)) {
  const artifacts: string[] = [];
  for (const [path, contracts] of Object.entries(output.contracts ?? {}).sort()) {
    if (!path.startsWith(`${folder}/`)) continue;
    for (const [name, { abi, evm }] of Object.entries(contracts)) {
      if (!abi.some((e) => (e as { readonly type: string }).type === 'function')) continue; // a library of internal functions
      if (evm.bytecode.object === '') continue; // an interface
      const size = evm.deployedBytecode.object.length >> 1;
      if (size > CODE_LIMIT) {
        console.error(`${path}: ${name} has ${size} bytes of code, more than the ${CODE_LIMIT} that a chain takes`);
        process.exit(1);
      }
      if (!check) console.log(`${name}: ${size} bytes`);
      const artifact = JSON.stringify({ abi, bytecode: `0x${evm.bytecode.object}` });
      artifacts.push(`/** ${path}, ${size} bytes of code. */\nexport const ${name} = ${artifact} as const;`);
    }
  }
  const text = `/* Written by scripts/build-contracts.ts. */\n${artifacts.join('\n')}\n`;
  if (!check) writeFileSync(join(ROOT, target), text);
  else if (readFileSync(join(ROOT, target), 'utf8') !== text) {
    console.error(`${target} is not what ${folder}/ compile to: run npx tsx scripts/build-contracts.ts`);
    process.exit(1);
  }
}
