/**
 * `samebit compile`: a model becomes a program of another machine.
 * @module
 */
import { type Command, Option } from 'commander';
import { CONTRACTS, LEAST_CHUNK } from '../compile/wasm.ts';
import { compileEvm } from './compile-evm.ts';
import { compileWasm, type WasmFlags } from './compile-wasm.ts';
import { UsageError } from './errors.ts';
import { collect, dim, whole } from './options.ts';

/** Options that only one target has. */
const OWN = { wasm: ['profile', 'contract', 'dim', 'chunkBytes'], evm: ['goal', 'codeBudget', 'data'] } as const;

type Target = keyof typeof OWN;
type Flags = Parameters<typeof compileEvm>[1] & WasmFlags & { readonly target: Target };

function compile(path: string, flags: Flags, command: Command): void {
  const other: Target = flags.target === 'wasm' ? 'evm' : 'wasm';
  for (const name of OWN[other]) {
    if (command.getOptionValueSource(name) === 'cli')
      throw new UsageError(
        'OtherTarget',
        `${name} is an option of --target ${other}`,
        'Leave it out, or choose that target.',
      );
  }
  if (flags.target === 'wasm') compileWasm(path, flags);
  else compileEvm(path, flags);
}

/** Adds the command. */
export function addCompile(program: Command): void {
  program
    .command('compile')
    .description('compile a model to a program that runs without this library')
    .argument('<MODEL.sbm>', 'the model')
    .requiredOption('-o, --output <OUT>', 'the file to write, or the folder of an EVM program')
    .addOption(new Option('--target <TARGET>', 'what to compile to').choices(['wasm', 'evm']).default('wasm'))
    .addOption(
      new Option('--profile <PROFILE>', 'instructions that a WebAssembly module may use')
        .choices(['mvp', 'simd128'])
        .default('mvp'),
    )
    .addOption(
      new Option('--contract <KIND>', 'entry points of a contract beside those of a WebAssembly module').choices(
        CONTRACTS,
      ),
    )
    .option('--dim <NAME=VALUE>', 'value of a symbol of a WebAssembly module; may stand several times', dim)
    .option(
      '--chunk-bytes <BYTES>',
      'weights not in the WebAssembly module but in files of at most so many bytes beside it, OUT.0, OUT.1, …',
      whole(LEAST_CHUNK, 2 ** 31),
    )
    .addOption(new Option('--goal <GOAL>', 'what an EVM contract shall spare').choices(['gas', 'size']).default('gas'))
    .option('--code-budget <BYTES>', 'most bytes of code of one contract; 24,576 by default', whole(256, 65535))
    .option('--data <ADDRESS>', 'where a data contract lies; once for each, in order', collect)
    .option('--json', 'print one JSON object')
    .action(compile);
}
