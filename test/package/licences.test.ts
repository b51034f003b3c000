/** Licences of all dependencies: listed, and permissive. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { document, isPermissive, isTaken, readPackages } from '../../scripts/licences/packages.ts';

const packages = readPackages();

it('docs/licences.md lists the packages of the lock files', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/licences.md'), 'utf8')).toBe(document(packages));
});

it('all may be here, and what users get is permissive', () => {
  expect(packages.filter((p) => !isTaken(p))).toEqual([]);
  const shipped = packages.filter((p) => p.use === 'runtime' || p.use === 'peer');
  expect(shipped.length).toBeGreaterThan(6);
  expect(shipped.filter((p) => !isPermissive(p.licence))).toEqual([]);
});

it('refuses others', () => {
  const of = (licence: string, use: 'runtime' | 'development' = 'development', name = 'x'): boolean =>
    isTaken({ name, version: '1.0.0', licence, use });
  expect(['MIT', '(GPL-3.0 OR MIT)', 'MIT AND ISC'].every((l) => of(l))).toBe(true);
  for (const licence of [
    'GPL-3.0',
    'MIT AND GPL-3.0',
    'MPL-2.0',
    'UNLICENSED',
    'SEE LICENSE IN LICENSE',
    'unknown',
    '',
  ])
    expect(of(licence), licence).toBe(false);
  expect(of('MPL-2.0', 'development', '@ethereumjs/vm')).toBe(true);
  expect(of('MPL-2.0', 'runtime', '@ethereumjs/vm')).toBe(false);
});
