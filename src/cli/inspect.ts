/**
 * `samebit inspect`: the graph of a model as one HTML file.
 * @module
 */
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Dims } from '../onnx/dims.ts';
import { parseOnnx } from '../onnx/parse.ts';
import { externalReader, readBytes, readModel, targetOf, writeBytes } from './files.ts';
import { dimOrRange } from './options.ts';
import { print } from './output.ts';
import { modelPage, onnxPage } from './report/graph.ts';
import { toJson } from './text.ts';

interface Flags {
  readonly out?: string;
  readonly dim?: Dims;
  readonly json?: boolean;
}

/** The page of a file, by its name: `.sbm`, else ONNX. */
function pageOf(path: string, dims: Dims): string {
  if (path.endsWith('.sbm')) return modelPage(readModel(path), basename(path));
  const bytes = readBytes(path);
  return onnxPage(parseOnnx(bytes, { external: externalReader(path) }), basename(path), bytes.length, dims);
}

function inspect(path: string, flags: Flags): void {
  const out = flags.out ?? `${basename(path).replace(/\.(sbm|onnx)$/, '')}.html`;
  targetOf(out, path);
  const text = pageOf(path, flags.dim ?? {});
  writeBytes(out, new TextEncoder().encode(text));
  if (flags.json) print(toJson({ out, bytes: text.length }));
  else print(`  ${out}: open it in a browser; it needs no network`);
}

/** Adds the command. */
export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('write the graph of a model as one HTML file: shapes, types, ranges, weights, costs')
    .argument('<MODEL>', 'an .sbm or .onnx file')
    .option('--out <OUT.html>', "where to write it; the model's name with .html in this folder by default")
    .option('--dim <NAME=VALUE>', 'value of a symbolic dimension of an ONNX file, for its shapes', dimOrRange)
    .option('--json', 'print one JSON object')
    .action(inspect);
}
