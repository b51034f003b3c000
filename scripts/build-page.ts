/**
 * Builds src/market/page into page.gen.ts: the page of the gateway as three texts, so that nothing is read from a disk or fetched.
 * `--check` compares with the file.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder: string = fileURLToPath(new URL('../src/market/page/', import.meta.url));
const target: string = `${folder}page.gen.ts`;

async function built(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [folder + file],
    bundle: true,
    minify: true,
    charset: 'utf8',
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text.trim();
}

const text = `/**
 * Built by scripts/build-page.ts from index.html, main.ts and style.css; not to be edited.
 * @module
 */

/** The document. */
export const PAGE: string =
  ${JSON.stringify(readFileSync(`${folder}index.html`, 'utf8'))};
/** Its program. */
export const SCRIPT: string =
  ${JSON.stringify(await built('main.ts'))};
/** Its style sheet. */
export const STYLE: string =
  ${JSON.stringify(await built('style.css'))};
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text)
    throw new Error(`${target} is not what its sources build; run scripts/build-page.ts`);
} else writeFileSync(target, text);
