/**
 * What must hold of a tree before it is released. Each check returns what is wrong and the next step, or undefined.
 * @module
 */

/** Parts of package.json that a release depends on. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly repository?: unknown;
  readonly publishConfig?: { readonly provenance?: boolean };
}

/** Scripts that npm runs on the machine of whoever installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

/** Nothing is changed or new in the tree. `status` is that of `git status --porcelain`. */
export function treeProblem(status: string): string | undefined {
  if (status.trim() === '') return undefined;
  return `the tree has changes that are not committed: commit them, or put them away\n${status.trimEnd()}`;
}

/** The version is a release, the changelog dates it, the lock file has it, and no tag has it. */
export function versionProblem(
  { version }: Manifest,
  changelog: string,
  lock: { readonly version?: string },
  tags: readonly string[],
): string | undefined {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return `${version} is no version: set it with npm version`;
  const [head] = changelog.match(/^## .+$/m) ?? ['(none)'];
  const dated = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`);
  if (!dated.test(head)) return `CHANGELOG.md begins with "${head}": head it "## ${version} (YYYY-MM-DD)"`;
  if (lock.version !== version) return `package-lock.json says ${lock.version}: npm install --package-lock-only`;
  if (tags.includes(`v${version}`)) return `the tag v${version} is there: raise the version`;
  return undefined;
}

/** Nothing runs at install, and the package asks for provenance. */
export function manifestProblem({ scripts = {}, publishConfig }: Manifest): string | undefined {
  const found = INSTALL_SCRIPTS.filter((s) => s in scripts);
  if (found.length > 0) return `package.json has scripts that run at install: remove ${found.join(', ')}`;
  if (publishConfig?.provenance !== true) return 'package.json has no publishConfig.provenance: set it to true';
  return undefined;
}

/**
 * npm signs the provenance of a package where the workflow of a public repository publishes it: the package names that
 * repository, and the workflow may ask for an identity token.
 */
export function publishProblem(
  manifest: Manifest,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (manifest.repository === undefined)
    return 'package.json names no repository, which provenance is about: add "repository"';
  if (env['ACTIONS_ID_TOKEN_REQUEST_URL'] === undefined && env['SIGSTORE_ID_TOKEN'] === undefined)
    return 'no identity token here: publish from the workflow of docs/releasing.md, with permission id-token: write';
  return undefined;
}
