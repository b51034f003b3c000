/**
 * What the programs of hosts build with: Python, Go and Rust, each by its own tools, into `.hosts/`.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where builds lie. */
export const HOSTS_HOME: string = join(import.meta.dirname, '../.hosts');

/** Runs a program and gives what it prints. @throws Error with what it says when it fails */
export function tool(
  command: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, ...env }, stdio: 'pipe' });
  } catch (e) {
    throw new Error(
      `${command} ${args.join(' ')}: ${String((e as { stderr?: string }).stderr || (e as Error).message)}`,
    );
  }
}

/** Makes `home`/venv with what pip is told to install; gives its Python. */
export function venv(home: string, wanted: readonly string[]): string {
  const python = join(home, 'venv/bin/python');
  mkdirSync(home, { recursive: true });
  if (!existsSync(python)) tool('python3', ['-m', 'venv', join(home, 'venv')]);
  tool(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wanted]);
  return python;
}

/** Builds the Go program of a folder. */
export function go(folder: string, program: string): void {
  tool('go', ['build', '-o', program, '.'], { cwd: folder });
}

/** Builds the crate of a folder into `home`/target. */
export function cargo(folder: string, home: string): void {
  const env = { CARGO_TARGET_DIR: join(home, 'target') };
  tool('cargo', ['build', '--release', '--quiet', '--locked'], { cwd: folder, env });
}

/** A command of this library from its sources; gives what it prints. */
export function samebit(args: readonly string[]): string {
  return tool(process.execPath, ['--import', 'tsx', join(import.meta.dirname, '../src/cli/main.ts'), ...args], {
    cwd: join(import.meta.dirname, '..'),
  });
}
