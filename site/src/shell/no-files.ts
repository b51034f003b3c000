/**
 * In place of node:fs in modules of examples/, of which pages call what needs no file.
 * @module
 */
export function readFileSync(): never {
  throw new Error('a page has no files');
}
