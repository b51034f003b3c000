/**
 * The webgl backend in a page of headless Chromium: kernels at their edges, contexts with a fault, nothing left behind. Its
 * suite, models and random graphs: npm run engines.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evaluate, evaluating } from '../../scripts/engines/browsers.ts';
import { installPinned } from '../../scripts/engines/install.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { edges } from './edges.ts';

let evaluate: Evaluate;
let close: () => Promise<unknown> = async () => undefined;
const folder = mkdtempSync(join(tmpdir(), 'samebit-webgl-'));

beforeAll(async () => {
  installPinned(['playwright-core']);
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'webgl-page.ts')],
    alias: { vitest: join(import.meta.dirname, 'expect.ts') },
    define: { 'process.env': '{}' },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  [evaluate, close] = await evaluating(folder, outputFiles[0]!.text);
}, 120_000);

afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe.each(['whole', 'small'])('draws: %s', (variant) => {
  it.each(Object.keys(edges(wasm)))('%s', async (name) => {
    expect(await evaluate(`page.edge(${JSON.stringify(variant)}, ${JSON.stringify(name)})`)).toBe('right');
  });
});

describe('contexts', () => {
  it('every fault is refused by the probe, or ends the run as a HostError', async () => {
    expect(await evaluate('page.faults()')).toEqual([]);
  });

  it('another backend takes over, with the same bits', async () => {
    expect(await evaluate('page.takenOver()')).toBe('true, wasm');
  });

  it('nothing is read of memory that was not written', async () => {
    expect(await evaluate('page.filled()')).toBe('nothing');
  });

  it('a signal ends a run, and the next run is right', async () => {
    expect(await evaluate('page.aborted()')).toBe('enough, true');
  });

  it('100 sessions of 10 runs leave nothing but programs behind', async () => {
    const counts = (await evaluate('page.alive(100, 10)')) as Record<string, number>[];
    expect(counts.at(-1)).toEqual(counts[0]);
    expect(counts[0]).toMatchObject({ Texture: 0, Framebuffer: 0, Buffer: 0, Shader: 0 });
  });
});
