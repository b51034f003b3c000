/**
 * `npm run sizes`: writes docs/sizes.md, the bytes of each entry point; needs dist.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENTRIES, measure } from './sizes/measure.ts';
import { table } from './sizes/table.ts';

const sizes = await Promise.all(ENTRIES.map(measure));
writeFileSync(join(import.meta.dirname, '../docs/sizes.md'), table(sizes));
for (const s of sizes) console.log(`${s.entry}: ${s.loaded.gzipped} gzipped, ${s.loaded.raw} minified`);
