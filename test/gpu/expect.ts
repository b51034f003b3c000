/**
 * As much of vitest's `expect` as the harness of backends uses where it runs in a page.
 * @module
 */
function fail(message: string): never {
  throw new Error(message);
}

export const expect: { fail(message: string): never } = { fail };
