/** Builds dist before the tests that run it, where a source is newer than it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root: string = join(import.meta.dirname, '../..');

/** Time of the newest file below a folder. */
function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((e) => e.isFile())
      .map((e) => statSync(join(e.parentPath, e.name)).mtimeMs),
  );
}

/** Builds a folder where a source of it, or one that it is made with, is newer than `built`. */
function build(folder: string, built: string): void {
  const target = join(folder, built);
  const sources = Math.max(newest(join(folder, 'src')), statSync(join(folder, 'tsup.config.ts')).mtimeMs);
  if (existsSync(target) && statSync(target).mtimeMs > sources) return;
  execFileSync(process.execPath, [join(root, 'node_modules/tsup/dist/cli-default.js')], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Called by vitest. */
export function setup(): void {
  build(root, 'dist/cli/main.js');
  build(join(root, 'packages/serve'), 'dist/main.js');
}
