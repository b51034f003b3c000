#!/usr/bin/env node
/**
 * The program `samebit-serve`.
 * @module
 */
import { run } from './cli.ts';

await run(process.argv.slice(2));
