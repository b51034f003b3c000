/**
 * Options of the programs in scripts/ and bench/.
 * @module
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** As `parseArgs`; a mistake in the command ends the process with 2 and a line that says which. */
export function readArgs<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (e) {
    console.error((e as Error).message);
    process.exit(2);
  }
}
