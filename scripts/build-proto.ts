/**
 * Generates the protobuf code of the model format from src/format/model.proto. `--check` compares instead of writing.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const FLAGS = ['-t', 'static-module', '-w', 'es6', '--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--no-service', '--no-comments'];
const target = 'src/format/model.gen.js';
const code = execFileSync('npx', ['pbjs', ...FLAGS, 'src/format/model.proto'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== code) throw new Error(`${target} is stale: run npm run gen`);
} else {
  writeFileSync(target, code);
}
