/**
 * `samebit compile --target evm`: creation code, ABI, Solidity interface and a summary in a folder.
 * @module
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addressFault } from '../compile/evm/creation.ts';
import { type EvmProgram, toEvm } from '../compile/evm.ts';
import { hex } from '../core/digest.ts';
import { printable } from '../core/errors.ts';
import type { Model } from '../graph/ir.ts';
import { UsageError } from './errors.ts';
import { checkFolder, makeFolder, readModel, writeBytes } from './files.ts';
import { print, table } from './output.ts';
import { grouped, toJson } from './text.ts';

/** Files of code, which must not stand beside those of another program. */
const OWN_FILE = /^(main|data\d+)\.hex$/;

/** Options of the target. */
export interface EvmFlags {
  readonly output: string;
  readonly goal?: 'gas' | 'size';
  readonly codeBudget?: number;
  readonly data?: readonly string[];
  readonly json?: boolean;
}

/** Files of a program, by name: the main contract once the addresses of its data contracts are known. */
function filesOf(p: EvmProgram, addresses: readonly string[] | undefined): Record<string, string> {
  const files: Record<string, string> = {
    'abi.json': `${JSON.stringify(p.abi, null, 2)}\n`,
    'IModel.sol': p.solidity,
  };
  p.data.forEach((d, i) => {
    files[`data${i}.hex`] = `0x${hex(d.creation)}\n`;
  });
  if (addresses !== undefined) files['main.hex'] = `0x${hex(p.main(addresses).creation)}\n`;
  return files;
}

/** What deployment needs to know. */
function summaryOf(model: Model, p: EvmProgram): Record<string, unknown> {
  return {
    id: hex(model.id),
    fork: 'shanghai',
    gas: p.gas,
    codeBytes: p.codeBytes,
    dataContracts: p.data.length,
    layers: p.layers,
  };
}

/** Compiles a model into a folder. */
export function compileEvm(path: string, flags: EvmFlags): void {
  const { output, goal = 'gas', codeBudget, data } = flags;
  checkFolder(output);
  const model = readModel(path);
  const p = toEvm(model, { goal, ...(codeBudget === undefined ? {} : { codeBudget }) });
  const addresses = data ?? (p.data.length === 0 ? [] : undefined);
  if (addresses !== undefined && addresses.length !== p.data.length)
    throw new UsageError(
      'DataContracts',
      `the model has ${p.data.length} data contracts, ${addresses.length} addresses are given`,
      'Pass --data once for each, in order.',
    );
  const fault = addressFault(addresses ?? []);
  if (fault !== undefined)
    throw new UsageError('BadAddress', `--data: ${printable(fault)}`, 'Pass 0x and 40 hex digits for each, in order.');
  const summary = summaryOf(model, p);
  const files = filesOf(p, addresses);
  makeFolder(output);
  for (const name of readdirSync(output)) if (OWN_FILE.test(name) && !(name in files)) rmSync(join(output, name));
  for (const [name, text] of Object.entries({ ...files, 'summary.json': `${toJson(summary)}\n` }))
    writeBytes(join(output, name), new TextEncoder().encode(text));
  if (flags.json) {
    print(toJson({ ...summary, files: [...Object.keys(files), 'summary.json'] }));
    return;
  }
  const rows = p.layers.map((l) => [
    String(l.node),
    l.op,
    l.rows === undefined ? '' : `${l.rows - l.dataRows!} in code, ${l.dataRows} in data`,
    grouped(l.gas),
    grouped(l.bytes),
  ]);
  print(table(['node', 'op', 'rows of weights', 'gas', 'bytes'], rows, [0, 3, 4]));
  print();
  print(`  ${printable(output)}: ${Object.keys(files).sort().join(', ')}, summary.json`);
  print(`  ${grouped(p.gas)} gas a call, ${grouped(p.codeBytes)} bytes of code in ${p.data.length + 1} contracts`);
  if (addresses === undefined)
    print('  deploy the data contracts, then compile again with --data ADDRESS for each to get main.hex');
}
