#!/usr/bin/env node
// Runs the command line, which a checkout holds only when it is built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  console.error('samebit is not built\n  next: npm ci && npm run build');
  process.exitCode = 1;
}
