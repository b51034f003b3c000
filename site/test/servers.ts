/**
 * Where the tests find the built site.
 * @module
 */

/** With the headers of isolation, which give threads. */
export const ISOLATED = { mode: 'production', port: 41730 } as const;

/** Without them, as on a plain host of files. */
export const PLAIN = { mode: 'plain', port: 41731 } as const;

/** The address of a server: below a path, as on a host of many sites. */
export function addressOf({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}${BELOW}`;
}

/** The path. */
export const BELOW = '/below/a/path/';
