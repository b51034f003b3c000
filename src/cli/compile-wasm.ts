/**
 * `samebit compile --target wasm`: a model becomes a WebAssembly module.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { inspect } from '../compile/inspect.ts';
import { HOSTS, validateProfile } from '../compile/validate-profile.ts';
import { type ChunkedWasm, type Profile, toWasm, toWasmChunks, type WasmOptions } from '../compile/wasm.ts';
import { hex } from '../core/digest.ts';
import { printable } from '../core/errors.ts';
import type { Model } from '../graph/ir.ts';
import { UsageError } from './errors.ts';
import { readModel, targetOf, writeBytes } from './files.ts';
import { print, table } from './output.ts';
import { grouped, toJson } from './text.ts';

/** Flags of the target. */
export interface WasmFlags {
  readonly output: string;
  readonly profile: Profile;
  readonly contract?: WasmOptions['contract'];
  readonly dim?: Readonly<Record<string, number>>;
  readonly chunkBytes?: number;
  readonly json?: boolean;
}

/** @throws UsageError for a symbol that the model has not, and for one without a legal value */
function checkDims({ symbols }: Model, dims: Readonly<Record<string, number>>): void {
  const all = symbols.map((s) => `--dim ${s.name}=VALUE with ${s.min} to ${s.max}`).join(', ');
  const hint = symbols.length > 0 ? `Pass ${printable(all)}.` : 'Leave --dim out: the model has no symbols.';
  for (const name of Object.keys(dims))
    if (!symbols.some((s) => s.name === name))
      throw new UsageError('NoSymbol', `the model has no symbol ${printable(name)}`, hint);
  for (const { name, min, max } of symbols) {
    const value = Object.hasOwn(dims, name) ? dims[name]! : undefined;
    if (value === undefined || value < min || value > max)
      throw new UsageError(
        'BadDim',
        `symbol ${printable(name)} ${value === undefined ? 'has no value' : `cannot be ${value}`}`,
        hint,
      );
  }
}

/** What the flags ask for. */
function compiled(model: Model, { profile, contract, dim: dims, chunkBytes }: WasmFlags): ChunkedWasm {
  if (contract && profile !== 'mvp')
    throw new UsageError('NoProfile', `a ${contract} contract has profile mvp, not ${profile}`, 'Leave --profile out.');
  if (contract && chunkBytes !== undefined)
    throw new UsageError('NoChunks', `a ${contract} contract has its weights as data`, 'Leave --chunk-bytes out.');
  checkDims(model, dims ?? {});
  const given = { profile, ...(dims && { dims }) };
  return chunkBytes === undefined
    ? { module: toWasm(model, { ...given, contract }), chunks: [] }
    : toWasmChunks(model, { ...given, chunkBytes });
}

/** A file that was written. */
interface Written {
  readonly output: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes the module, its chunks beside it, and prints what it holds and whose rules it breaks. */
export function compileWasm(path: string, flags: WasmFlags): void {
  targetOf(flags.output, path); // before the work
  const { module, chunks } = compiled(readModel(path), flags);
  const files = [module, ...chunks].map((bytes, i) => {
    const output = i === 0 ? flags.output : `${flags.output}.${i - 1}`;
    return {
      bytes,
      target: targetOf(output, path),
      shown: { output, bytes: bytes.length, sha256: hex(sha256(bytes)) },
    };
  });
  for (const { bytes, target } of files) writeBytes(target, bytes);
  const [file, ...parts] = files.map((f) => f.shown) as [Written, ...Written[]];
  const { codeBytes, dataBytes, functions, locals, pages } = inspect(module);
  const hosts = Object.fromEntries(HOSTS.map((h) => [h, validateProfile(module, h)]));
  if (flags.json) {
    const figures = { profile: flags.profile, codeBytes, dataBytes, functions, locals, pages };
    print(toJson({ ...file, ...figures, ...(flags.chunkBytes !== undefined && { chunks: parts }), hosts }));
    return;
  }
  print(`  ${file.output}: ${grouped(file.bytes)} bytes, profile ${flags.profile}`);
  print(
    `  ${grouped(codeBytes)} bytes of code in ${functions} functions, ${grouped(dataBytes)} of data, ${grouped(pages)} pages of memory`,
  );
  print(`  sha256 ${file.sha256}`);
  if (flags.chunkBytes !== undefined) {
    const all = parts.reduce((n, p) => n + p.bytes, 0);
    print(
      `  ${grouped(all)} bytes of weights in ${parts.length === 1 ? 'one chunk' : `${parts.length} chunks`}: ${flags.output}.0, …`,
    );
  }
  print();
  print(
    table(
      ['rules of', 'broken'],
      HOSTS.map((h) => [h, hosts[h]!.join('; ') || 'none']),
    ),
  );
}
