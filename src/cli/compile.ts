/**
 * `samebit compile`: a model becomes a program of another machine.
 * @module
 */
import { type Command, Option } from 'commander';
import { compileEvm } from './compile-evm.ts';
import { collect, whole } from './options.ts';

/** Adds the command. */
export function addCompile(program: Command): void {
  program
    .command('compile')
    .description('compile a model to a program that runs without this library')
    .argument('<MODEL.sbm>', 'the model')
    .requiredOption('-o, --output <OUT>', 'the folder to write')
    .addOption(new Option('--target <TARGET>', 'what to compile to').choices(['evm']).makeOptionMandatory())
    .addOption(new Option('--goal <GOAL>', 'what an EVM contract shall spare').choices(['gas', 'size']).default('gas'))
    .option('--code-budget <BYTES>', 'most bytes of code of one contract; 24,576 by default', whole(256, 65535))
    .option('--data <ADDRESS>', 'where a data contract lies; once for each, in order', collect)
    .option('--json', 'print one JSON object')
    .action(compileEvm);
}
