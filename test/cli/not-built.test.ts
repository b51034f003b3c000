/** bin/samebit.js in a checkout that is not built. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folder } from './samebit.ts';

it('says how the command line is built', () => {
  const root = folder();
  mkdirSync(join(root, 'bin'));
  copyFileSync(new URL('../../bin/samebit.js', import.meta.url), join(root, 'bin/samebit.mjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/samebit.mjs'), '--version'], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/not built\n {2}next: npm ci && npm run build\n$/);
});
