/**
 * `samebit compile`: a model becomes a program of another machine.
 * @module
 */
import { type Command, Option } from 'commander';
import { inspect } from '../compile/inspect.ts';
import { HOSTS, validateProfile } from '../compile/validate-profile.ts';
import { type Profile, toWasm } from '../compile/wasm.ts';
import { readModel, targetOf, writeBytes } from './files.ts';
import { dim } from './options.ts';
import { grouped, print, table, toJson } from './output.ts';

interface Flags {
  readonly output: string;
  readonly profile: Profile;
  readonly dim?: Readonly<Record<string, number>>;
  readonly json?: boolean;
}

function compile(path: string, flags: Flags): void {
  const target = targetOf(flags.output);
  const model = readModel(path);
  const bytes = toWasm(model, { profile: flags.profile, ...(flags.dim === undefined ? {} : { dims: flags.dim }) });
  const { codeBytes, dataBytes, functions, locals, pages } = inspect(bytes);
  const hosts = Object.fromEntries(HOSTS.map((h) => [h, validateProfile(bytes, h)]));
  writeBytes(target, bytes);
  const figures = { bytes: bytes.length, codeBytes, dataBytes, functions, locals, pages };
  if (flags.json) {
    print(toJson({ output: flags.output, profile: flags.profile, ...figures, hosts }));
    return;
  }
  print(`  ${flags.output}: ${grouped(bytes.length)} bytes, profile ${flags.profile}`);
  print(
    `  ${grouped(codeBytes)} bytes of code in ${functions} functions, ${grouped(dataBytes)} of data, ${grouped(pages)} pages of memory`,
  );
  print();
  print(
    table(
      ['rules of', 'broken'],
      HOSTS.map((h) => [h, hosts[h]!.join('; ') || 'none']),
    ),
  );
}

/** Adds the command. */
export function addCompile(program: Command): void {
  program
    .command('compile')
    .description('compile a model to a module that runs without this library')
    .argument('<MODEL.sbm>', 'the model')
    .requiredOption('-o, --output <FILE>', 'the file to write')
    .addOption(new Option('--target <TARGET>', 'what to compile to').choices(['wasm']).default('wasm'))
    .addOption(
      new Option('--profile <PROFILE>', 'instructions that a WebAssembly module may use')
        .choices(['mvp', 'simd128'])
        .default('mvp'),
    )
    .option('--dim <NAME=VALUE>', 'value of a symbol; may stand several times', dim)
    .option('--json', 'print one JSON object')
    .action(compile);
}
