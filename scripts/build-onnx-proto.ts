/**
 * Generates `src/onnx/proto/onnx.gen.js` and `onnx.gen.d.ts` from `onnx.proto`. The decoder is protobufjs-cli's static
 * code (decode only); the types are written here from the parsed schema, so that a 64-bit field reads as
 * `Int64 = number | {low, high}` and no `Long` type is needed.
 *
 * Usage: `tsx scripts/build-onnx-proto.ts [--check]`; `--check` compares and exits 1 on a difference.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import pbjs from 'protobufjs-cli/pbjs.js';

const FOLDER: string = join(import.meta.dirname, '../src/onnx/proto');
const SCHEMA: string = join(FOLDER, 'onnx.proto');
const FLAGS: readonly string[] = [
  ...['-t', 'static-module', '-w', 'esm', '-r', 'samebit_onnx', '--es6'],
  ...['--no-create', '--no-encode', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl'],
  ...['--no-service', '--no-comments'],
];
const SCALARS: Readonly<Record<string, string>> = {
  int32: 'number',
  float: 'number',
  double: 'number',
  int64: 'Int64',
  uint64: 'Int64',
  string: 'string',
  bytes: 'Uint8Array',
};

/** The static decoder as pbjs prints it. */
function decoderText(): Promise<string> {
  return new Promise((resolve, reject) => {
    pbjs.main([...FLAGS, SCHEMA], (error, output) => (error ? reject(error) : resolve(output ?? '')));
  });
}

/** One interface and one `decode` signature per message of the schema. */
function typeText(): string {
  const root = protobuf.loadSync(SCHEMA);
  const out = [
    '// Types of onnx.gen.js, written by scripts/build-onnx-proto.ts.',
    "import type { Reader } from 'protobufjs/minimal.js';",
    '',
    '/** A 64-bit integer as the decoder gives it: two int32 halves, or a number where no 64-bit class is installed. */',
    'export type Int64 = number | { readonly low: number; readonly high: number };',
    '',
    'export namespace onnx {',
  ];
  for (const type of root.lookupType('onnx.ModelProto').parent!.nestedArray) {
    if (!(type instanceof protobuf.Type)) continue;
    out.push(`  interface ${type.name} {`);
    for (const field of type.fieldsArray) {
      const base = SCALARS[field.type] ?? field.type;
      const nullable = !(field.type in SCALARS) && !field.repeated ? ' | null' : '';
      out.push(`    readonly ${field.name}: ${field.repeated ? `readonly ${base}[]` : base}${nullable};`);
    }
    out.push('  }', `  const ${type.name}: { decode(source: Reader | Uint8Array): ${type.name} };`);
  }
  return `${out.join('\n')}\n}\n`;
}

const files: readonly [string, string][] = [
  ['onnx.gen.js', await decoderText()],
  ['onnx.gen.d.ts', typeText()],
];
for (const [name, text] of files) {
  const path = join(FOLDER, name);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${name} differs from what onnx.proto generates; run: tsx scripts/build-onnx-proto.ts`);
    process.exitCode = 1;
  }
}
