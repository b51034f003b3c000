/**
 * What profiles and hosts take (docs/aot.md). Hosts refuse more than engines do: they look at a module before they compile it.
 * @module
 */
import { Malformed } from './binary.ts';
import { type Inspection, inspect } from './inspect.ts';
import type { Feature } from './instructions.ts';

/** Rules of a profile or host; a limit that is left out is none. */
interface Rules {
  /** Features that it takes; floats are one of them. */
  readonly features: readonly Feature[];
  /** Most parameters and variables of a function. */
  readonly locals?: number;
  readonly bytes?: number;
  /** Most pages of memory at the start. */
  readonly pages?: number;
  /** True where our own profile asks for no imports and a memory that does not grow. */
  readonly own?: true;
}

const KIB = 1024;
const MIB = 1_048_576;
const NOT_AT_ALL: readonly Feature[] = [];

/** A profile of ours, or a host by its published rules. */
export type Host = 'cosmwasm' | 'ic' | 'mvp' | 'near' | 'simd128' | 'soroban' | 'stylus';

const RULES: Readonly<Record<Host, Rules>> = {
  mvp: { features: NOT_AT_ALL, locals: 100, own: true },
  simd128: { features: ['simd', 'bulk-memory', 'sign-extension', 'mutable-globals'], locals: 1000, own: true },
  cosmwasm: { features: ['sign-extension', 'mutable-globals', 'floats'], locals: 100, bytes: 3 * MIB, pages: 512 },
  stylus: {
    features: ['sign-extension', 'mutable-globals', 'bulk-memory', 'saturating-conversions'],
    bytes: 128 * KIB,
    pages: 128,
  },
  near: { features: ['sign-extension', 'mutable-globals', 'floats'], bytes: 4 * MIB },
  soroban: { features: ['sign-extension', 'mutable-globals', 'bulk-memory'] },
  ic: {
    features: [
      'simd',
      'bulk-memory',
      'sign-extension',
      'mutable-globals',
      'floats',
      'saturating-conversions',
      'multi-value',
      'reference-types',
    ],
    bytes: 100 * MIB,
    pages: 65536,
  },
};

/** Names of profiles and hosts. */
export const HOSTS: readonly Host[] = Object.keys(RULES) as Host[];

/**
 * The rules of a profile or host that a module breaks, each as a sentence; none where it is taken. A host’s own entry points are not
 * asked for.
 */
export function validateProfile(bytes: Uint8Array, host: Host): string[] {
  const rules = RULES[host];
  let found: Inspection;
  try {
    found = inspect(bytes);
  } catch (e) {
    if (!(e instanceof Malformed)) throw e;
    return [`the bytes are no module: ${e.message}`];
  }
  const out: string[] = [];
  for (const [feature, where] of found.features) {
    if (!rules.features.includes(feature))
      out.push(`${feature} is not taken${where < 0 ? '' : `, function ${where} has it`}`);
  }
  const above = (what: string, value: number, most: number | undefined): void => {
    if (most !== undefined && value > most) out.push(`${what}: ${value}, at most ${most}`);
  };
  above('parameters and variables of a function', found.locals, rules.locals);
  above('bytes', found.bytes, rules.bytes);
  above('pages of memory', found.pages, rules.pages);
  above('results of a function', found.results, rules.features.includes('multi-value') ? undefined : 1);
  if (rules.own) {
    above('imports', found.imports, 0);
    if (found.start) out.push('there is a start function');
    if (found.maxPages !== found.pages) out.push('the memory grows');
  }
  return out;
}
