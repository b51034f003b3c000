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
  /** Most bytes after brotli. */
  readonly packed?: number;
  readonly functions?: number;
  readonly params?: number;
  readonly allParams?: number;
  readonly allLocals?: number;
  readonly tables?: number;
  /** Most elements of tables, which must have a limit then. */
  readonly elements?: number;
  readonly dataSegments?: number;
  readonly elementSegments?: number;
  readonly globals?: number;
  readonly exports?: number;
  readonly imports?: number;
  /** True where a start function is refused. */
  readonly noStart?: true;
  /** Most pages of memory at the start. */
  readonly pages?: number;
  /** True where our own profile asks for a memory that does not grow. */
  readonly own?: true;
}

const KIB = 1024;
const MIB = 1_048_576;
const NOT_AT_ALL: readonly Feature[] = [];

/** A profile of ours, or a host by its published rules. */
export type Host = 'cosmwasm' | 'ic' | 'mvp' | 'near' | 'simd128' | 'soroban' | 'stylus';

const RULES: Readonly<Record<Host, Rules>> = {
  mvp: { features: NOT_AT_ALL, locals: 100, imports: 0, noStart: true, own: true },
  simd128: {
    features: ['simd', 'bulk-memory', 'sign-extension', 'mutable-globals'],
    locals: 1000,
    imports: 0,
    noStart: true,
    own: true,
  },
  // cosmwasm-vm 3.0: WasmLimits and the gatekeeper; 3 MiB are wasmd's.
  cosmwasm: {
    features: ['sign-extension', 'mutable-globals', 'floats'],
    bytes: 3 * MIB,
    pages: 512,
    functions: 20_000,
    params: 100,
    allParams: 10_000,
    locals: 100,
    allLocals: 10_000,
    tables: 1,
    elements: 2500,
    imports: 100,
  },
  // docs.arbitrum.io, and the limits of Nitro's prover; the code of a contract begins with 4 bytes that say what it is.
  stylus: {
    features: ['sign-extension', 'mutable-globals', 'bulk-memory', 'saturating-conversions'],
    bytes: 128 * KIB,
    packed: 24 * KIB - 4,
    pages: 128,
    functions: 4096,
    elements: 4096,
    dataSegments: 128,
    elementSegments: 128,
    globals: 32_768,
    exports: 1024,
    noStart: true,
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

/** Bytes that brotli may add to data that it cannot press. */
const PACKED_MORE = 16;

/** Bytes after brotli of its best quality; undefined where this engine has none. */
function brotliBytes(bytes: Uint8Array): number | undefined {
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib');
  return zlib?.brotliCompressSync?.(bytes).length;
}

/** What is wrong with the size after brotli, if anything is. */
function packedFault(bytes: Uint8Array, most: number): string | undefined {
  if (bytes.length + PACKED_MORE <= most) return undefined;
  const size = brotliBytes(bytes);
  if (size === undefined) return `bytes after brotli: not checked, this engine has no brotli; at most ${most}`;
  return size > most ? `bytes after brotli: ${size}, at most ${most}` : undefined;
}

/**
 * The rules of a profile or host that a module breaks, each as a sentence; none where it is taken. A host’s own entry points are not
 * asked for. Where the engine has no brotli (browsers), the size after it is named as not checked.
 * @throws TypeError where the module is no Uint8Array, or no such profile or host is known
 */
export function validateProfile(bytes: Uint8Array, host: Host): string[] {
  if (!Object.hasOwn(RULES, host)) throw new TypeError(`host must be one of ${HOSTS.join(', ')}`);
  if (!(bytes instanceof Uint8Array)) throw new TypeError('the module must be a Uint8Array');
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
  above('parameters of a function', found.params, rules.params);
  above('parameters of all functions', found.allParams, rules.allParams);
  above('variables of all functions', found.allLocals, rules.allLocals);
  above('functions', found.functions, rules.functions);
  above('tables', found.tables, rules.tables);
  above('elements of tables', found.elements ?? Number.POSITIVE_INFINITY, rules.elements);
  above('pieces of data', found.dataSegments, rules.dataSegments);
  above('segments of elements', found.elementSegments, rules.elementSegments);
  above('globals', found.globals, rules.globals);
  above('exports', found.exports.length, rules.exports);
  above('imports', found.imports, rules.imports);
  above('bytes', found.bytes, rules.bytes);
  above('pages of memory', found.pages, rules.pages);
  above('results of a function', found.results, rules.features.includes('multi-value') ? undefined : 1);
  const packed = rules.packed === undefined ? undefined : packedFault(bytes, rules.packed);
  if (packed !== undefined) out.push(packed);
  if (rules.noStart && found.start) out.push('there is a start function');
  if (rules.own && found.maxPages !== found.pages) out.push('the memory grows');
  return out;
}
