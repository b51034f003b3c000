/**
 * `samebit serve`: the inference server, which is a package of its own.
 * @module
 */
import type { Command } from 'commander';
import { UsageError } from './errors.ts';
import { version } from './package.ts';

/** The package's command line. A name that bundlers and compilers do not follow. */
const PACKAGE: string = 'samebit-serve/cli';

async function serve(args: readonly string[]): Promise<void> {
  let cli: { run(args: readonly string[]): Promise<void> };
  try {
    cli = await import(PACKAGE);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw e;
    throw new UsageError(
      'NoServer',
      'serving needs the package samebit-serve, which is not installed',
      `npm install samebit-serve@${version()}`,
    );
  }
  await cli.run(args);
}

/** Adds the command. Its options are those of the package. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('serve a directory of models over HTTP; samebit serve --help lists the options')
    .argument('[ARGUMENTS...]', 'directory of models, and options')
    .allowUnknownOption()
    .helpOption(false)
    .action((args: readonly string[]) => serve(args));
}
