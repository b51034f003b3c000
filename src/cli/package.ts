/**
 * The package's own description: package.json lies two folders up, in the sources as in dist.
 * @module
 */
import { readFileSync } from 'node:fs';

interface Description {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

function description(): Description {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Description;
}

/** Version of this package. */
export function version(): string {
  return description().version;
}

/** The command that installs an optional package, in the version that this one is tested with. */
export function installs(name: string): string {
  return `npm install ${name}@${description().peerDependencies[name]!.replace('^', '')}`;
}
