/**
 * The recipes of docs/frameworks.md are the files of consumers/, which `npm run consumers` builds and runs. SAMEBIT_UPDATE_DOCS=1 writes them
 * into the page.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/frameworks.md');
const FENCE = /^(```\w+ not-run="npm run consumers runs it: (\S+)"\n)([\s\S]*?)^```$/gm;

it('docs/frameworks.md shows the files', () => {
  const text = readFileSync(PAGE, 'utf8');
  const shown = text.replace(FENCE, (_, head: string, path: string) => {
    const source = readFileSync(join(ROOT, path), 'utf8');
    return `${head}${source.trimEnd()}\n\`\`\``;
  });
  if (process.env.SAMEBIT_UPDATE_DOCS !== undefined) writeFileSync(PAGE, shown);
  else expect(text).toBe(shown);
  expect([...text.matchAll(FENCE)].length).toBeGreaterThan(12);
});

it('every consumer is in its table, pins its tools and has a way to run', () => {
  const text = readFileSync(PAGE, 'utf8');
  const names = readdirSync(join(ROOT, 'consumers'));
  expect(names.length).toBeGreaterThanOrEqual(10);
  for (const name of names) {
    expect(text, name).toContain(`](../consumers/${name})`);
    const { scripts, config, dependencies, devDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'consumers', name, 'package.json'), 'utf8'),
    );
    expect(scripts?.start ?? config?.serve ?? config?.visit, name).toBeDefined();
    expect(dependencies.samebit, name).toBe('*');
    const others = Object.entries({ ...dependencies, ...devDependencies }).filter(([n]) => n !== 'samebit');
    for (const [, version] of others) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(existsSync(join(ROOT, 'consumers', name, 'node_modules')), name).toBe(false);
  }
});
