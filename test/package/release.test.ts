/** The release program: what it refuses, and a dry run in a repository of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { manifestProblem, publishProblem, treeProblem, versionProblem } from '../../scripts/release/checks.ts';
import { folder } from '../cli/samebit.ts';

const ROOT = join(import.meta.dirname, '../..');
const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

it('this package runs nothing at install and asks for provenance', () => {
  expect(manifestProblem(own)).toBeUndefined();
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    expect(manifestProblem({ ...own, scripts: { [script]: 'node x.js' } })).toContain(script);
  expect(manifestProblem({ ...own, publishConfig: {} })).toContain('provenance');
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const shipped = Object.entries(lock as Record<string, { dev?: boolean; hasInstallScript?: boolean }>);
  expect(shipped.filter(([name, p]) => name !== '' && !p.dev && p.hasInstallScript)).toEqual([]);
});

it('tree, version, changelog, lock file and tags agree', () => {
  const manifest = { name: 'x', version: '1.2.3' };
  const dated = '# Changelog\n\n## 1.2.3 (2026-01-31)\n\n## 1.2.2 (2026-01-01)\n';
  expect(treeProblem('')).toBeUndefined();
  expect(treeProblem(' M README.md\n')).toContain('README.md');
  expect(versionProblem(manifest, dated, manifest, ['v1.2.2'])).toBeUndefined();
  expect(versionProblem(manifest, dated, manifest, ['v1.2.3'])).toContain('tag');
  expect(versionProblem(manifest, dated, { version: '1.2.2' }, [])).toContain('package-lock.json');
  expect(versionProblem(manifest, dated.replace('2026-01-31', 'unreleased'), manifest, [])).toContain('YYYY-MM-DD');
  expect(versionProblem({ ...manifest, version: '1.2' }, dated, manifest, [])).toContain('no version');
});

it('publishing takes a repository and an identity token', () => {
  const token = { ACTIONS_ID_TOKEN_REQUEST_URL: 'x' };
  const manifest = { name: 'x', version: '1.2.3', repository: 'github:x/x' };
  expect(publishProblem(manifest, token)).toBeUndefined();
  expect(publishProblem(manifest, {})).toContain('id-token');
  expect(publishProblem({ ...manifest, repository: undefined }, token)).toContain('repository');
});

it('a dry run packs, twice the same, and publishes nothing; a changed tree is refused', () => {
  const dir = folder();
  const manifest = { name: 'x', version: '1.2.3', files: ['index.js'], publishConfig: { provenance: true } };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(dir, 'package-lock.json'), JSON.stringify({ name: 'x', version: '1.2.3', packages: {} }));
  writeFileSync(join(dir, 'CHANGELOG.md'), '# Changelog\n\n## 1.2.3 (2026-01-31)\n');
  writeFileSync(join(dir, 'index.js'), 'export {};\n');
  writeFileSync(join(dir, '.gitignore'), 'out\n');
  mkdirSync(join(dir, 'other'));
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: dir });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'x');
  const release = (...args: string[]): { readonly status: number | null; readonly text: string } => {
    const program = [join(ROOT, 'node_modules/tsx/dist/cli.mjs'), join(ROOT, 'scripts/release.ts'), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, program, { cwd: dir, encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const { status, text } = release('--unchecked');
  expect(text).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/m);
  expect(text).toContain('dry run: nothing was published');
  expect(status).toBe(0);
  expect(existsSync(join(dir, 'out/x-1.2.3.tgz'))).toBe(true);
  expect(release('--unchecked', '--publish')).toMatchObject({ status: 1 });
  expect(release('--publish').text).toContain('repository');
  writeFileSync(join(dir, 'index.js'), 'export const x = 1;\n');
  expect(release('--unchecked').text).toContain('not committed');
});
