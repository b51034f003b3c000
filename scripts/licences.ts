/**
 * `npm run licences`: writes docs/licences.md, the licences of all packages in the lock files, from what npm wrote there.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { document, readPackages } from './licences/packages.ts';

writeFileSync(join(import.meta.dirname, '../docs/licences.md'), document(readPackages()));
