/** Optional packages that are not installed. */
import { expect, it, vi } from 'vitest';
import { readChain } from '../../src/market/reader.ts';
import { loadServer } from '../../src/market/serve.ts';

vi.mock('viem', () => {
  throw new Error('not installed');
});
vi.mock('hono', () => {
  throw new Error('not installed');
});

it('without viem the chain cannot be asked', async () => {
  const market = `0x${'11'.repeat(20)}` as const;
  await expect(readChain('http://127.0.0.1:1', { market })).rejects.toMatchObject({ code: 'NoClient' });
});

it('without hono nothing is served', async () => {
  await expect(loadServer()).rejects.toMatchObject({ code: 'NoServer' });
});
