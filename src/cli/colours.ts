/**
 * Colours of the command line: on a terminal, unless NO_COLOR is set or TERM is dumb; FORCE_COLOR turns them on elsewhere.
 * @module
 */
import picocolors from 'picocolors';

type Colours = ReturnType<typeof picocolors.createColors>;

/** Whether a stream takes colours (no-color.org; an empty variable counts as none). */
export function takesColours(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Colours for what goes to a stream; plain text where it takes none. */
export function coloursOf(stream: { readonly isTTY?: boolean }): Colours {
  return picocolors.createColors(takesColours(stream));
}
