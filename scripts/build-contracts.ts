/**
 * Compiles contracts/ and writes src/evm/artifacts.gen.ts: bytecode and ABI of each contract. `--check` fails where the file
 * differs: the compiler is pinned, so the same sources give the same bytes everywhere.
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const TARGET = join(ROOT, 'src/evm/artifacts.gen.ts');
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
  sourcesIn('contracts').map((p) => [p, { content: readFileSync(join(ROOT, p), 'utf8') }]),
);
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: 'Solidity',
      sources,
      settings: {
        optimizer: { enabled: true, runs: 1000 },
        viaIR: true,
        evmVersion: 'cancun',
        metadata: { bytecodeHash: 'none', appendCBOR: false },
        outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
      },
    }),
  ),
) as { readonly errors?: readonly Message[]; readonly contracts?: Record<string, Record<string, Compiled>> };

for (const e of output.errors ?? []) console.error(e.formattedMessage);
if ((output.errors ?? []).length > 0) process.exit(1);

const artifacts: string[] = [];
for (const [path, contracts] of Object.entries(output.contracts ?? {}).sort()) {
  for (const [name, { abi, evm }] of Object.entries(contracts)) {
    if (!abi.some((e) => (e as { readonly type: string }).type === 'function')) continue; // a library or an interface
    if (evm.bytecode.object === '') continue;
    const size = evm.deployedBytecode.object.length >> 1;
    if (size > CODE_LIMIT) {
      console.error(`${path}: ${name} has ${size} bytes of code, more than the ${CODE_LIMIT} that a chain takes`);
      process.exit(1);
    }
    if (!process.argv.includes('--check')) console.log(`${name}: ${size} bytes`);
    artifacts.push(
      `/** ${path}, ${size} bytes of code. */\nexport const ${name} = ${JSON.stringify({ abi, bytecode: `0x${evm.bytecode.object}` })} as const;`,
    );
  }
}
const text = `/* Written by scripts/build-contracts.ts. */\n${artifacts.join('\n')}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== text) {
    console.error('src/evm/artifacts.gen.ts is not what contracts/ compile to: run npx tsx scripts/build-contracts.ts');
    process.exit(1);
  }
} else writeFileSync(TARGET, text);
