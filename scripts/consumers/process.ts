/**
 * Programs in a folder, with all that they print.
 * @module
 */
import { spawn } from 'node:child_process';

/** Milliseconds that one step of a project may take. */
const MOST = 240_000;

/** A program under way: what it has printed so far, its end, and how to end it with all that it started. */
export interface Running {
  printed(): string;
  readonly ended: Promise<number | null>;
  kill(): void;
}

/** Starts a program in a group of processes of its own. */
export function start(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(command, args, {
    cwd,
    detached: true,
    env: { ...process.env, NO_COLOR: '1', CI: 'true', NEXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d: Buffer) => (text += d.toString()));
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  const kill = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'ESRCH') throw e; // it has ended
    }
  };
  return { printed: () => text, ended, kill };
}

/** Runs a program to its end. @throws Error with what it printed where it fails or takes too long */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const running = start(command, args, cwd);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    running.kill();
  }, MOST);
  const code = await running.ended.finally(() => clearTimeout(timer));
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${late ? 'took too long' : `exit ${code}`}\n${running.printed()}`);
  return running.printed();
}
