/**
 * HOSTS.md in parts, each written by its own program.
 * @module
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where a part begins. */
const mark = (name: string): string => `<!-- part: ${name} -->\n`;

/** Ends the process where a part cannot be written, before the work is done. */
export function checkOut(path: string): void {
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return;
  console.error(`--out ${path}: its folder does not exist`);
  process.exit(2);
}

/**
 * Writes a part of a file: in its place, or behind the others. Other parts stay as they are; what stands before the first mark
 * belongs to the part `''`.
 */
export function writePart(path: string, name: string, text: string): void {
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const parts = old.split(/(?=^<!-- part: )/m);
  if (parts[0]?.startsWith('<!-- part: ') ?? true) parts.unshift('');
  const own = `${name === '' ? '' : mark(name)}${text.trim()}\n\n`;
  const at = name === '' ? 0 : parts.findIndex((p) => p.startsWith(mark(name)));
  if (at < 0) parts.push(own);
  else parts[at] = own;
  writeFileSync(
    path,
    `${parts
      .map((p) => (p === '' ? '' : `${p.trimEnd()}\n`))
      .join('\n')
      .trim()}\n`,
  );
}
