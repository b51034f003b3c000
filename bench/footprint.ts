/**
 * What a subject costs before it is fast: argv is the folder of the files and the subject's name. Loads the first case in
 * this fresh process and prints milliseconds from import to a session, those of the first run, and the resident bytes that
 * loading and 20 runs add.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Prepared } from './cases.ts';
import { SUBJECTS } from './subjects.ts';

const RUNS = 20;

/** Resident bytes after two collections. */
function resident(): number {
  globalThis.gc!();
  globalThis.gc!();
  return process.memoryUsage().rss;
}

const [folder, name] = [process.argv[2]!, process.argv[3]!];
const [c] = JSON.parse(readFileSync(`${folder}/footprint.json`, 'utf8')) as [Prepared];
const subject = SUBJECTS.find((s) => s.name === name && s.threads === 1)!;
const before = resident();
const start = performance.now();
const lane = await subject.load(c);
const loaded = performance.now();
await lane.run();
const first = performance.now();
for (let i = 1; i < RUNS; i++) await lane.run();
const figures = { loadMs: loaded - start, firstMs: first - loaded, residentBytes: resident() - before };
console.log(JSON.stringify(figures));
process.exit();
