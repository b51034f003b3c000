/**
 * `samebit compile --target wasm`: a model becomes a WebAssembly module.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { inspect } from '../compile/inspect.ts';
import { HOSTS, validateProfile } from '../compile/validate-profile.ts';
import { type Profile, toWasm, type WasmOptions } from '../compile/wasm.ts';
import { hex } from '../core/digest.ts';
import { UsageError } from './errors.ts';
import { readModel, targetOf, writeBytes } from './files.ts';
import { grouped, print, table, toJson } from './output.ts';

/** Flags of the target. */
export interface WasmFlags {
  readonly output: string;
  readonly profile: Profile;
  readonly contract?: WasmOptions['contract'];
  readonly dim?: Readonly<Record<string, number>>;
  readonly json?: boolean;
}

/** Writes the module and prints what it holds and whose rules it breaks. */
export function compileWasm(path: string, flags: WasmFlags): void {
  const target = targetOf(flags.output);
  const model = readModel(path);
  const { profile, contract, dim: dims } = flags;
  if (contract && profile !== 'mvp')
    throw new UsageError('NoProfile', `a ${contract} contract has profile mvp, not ${profile}`, 'Leave --profile out.');
  const bytes = toWasm(model, { profile, contract, ...(dims && { dims }) });
  const { codeBytes, dataBytes, functions, locals, pages } = inspect(bytes);
  const hosts = Object.fromEntries(HOSTS.map((h) => [h, validateProfile(bytes, h)]));
  writeBytes(target, bytes);
  const hash = hex(sha256(bytes));
  const figures = { bytes: bytes.length, sha256: hash, codeBytes, dataBytes, functions, locals, pages };
  if (flags.json) {
    print(toJson({ output: flags.output, profile: profile, ...figures, hosts }));
    return;
  }
  print(`  ${flags.output}: ${grouped(bytes.length)} bytes, profile ${profile}`);
  print(
    `  ${grouped(codeBytes)} bytes of code in ${functions} functions, ${grouped(dataBytes)} of data, ${grouped(pages)} pages of memory`,
  );
  print(`  sha256 ${hash}`);
  print();
  print(
    table(
      ['rules of', 'broken'],
      HOSTS.map((h) => [h, hosts[h]!.join('; ') || 'none']),
    ),
  );
}
