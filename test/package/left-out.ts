/** Says at the end of a test run what it left out on this machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Called by vitest. */
export function teardown(): void {
  if (process.env.SAMEBIT_MUTANT !== undefined) return;
  const left = ['the full fuzz and mutation runs (npm run full)', 'regeneration of the golden vectors (.ci/run)'];
  if (spawnSync('python3', ['--version']).status !== 0) left.push('the second implementation (no python3 here)');
  const shared = process.env.SAMEBIT_SHARED;
  if (shared === undefined || !existsSync(join(shared, 'models')))
    left.push('models that are not in examples/ (SAMEBIT_SHARED)');
  if (process.env.SAMEBIT_GPU === undefined) left.push('the webgpu backend (npm run gpu)');
  process.stdout.write(`\nleft out: ${left.join('; ')}\n`);
}
