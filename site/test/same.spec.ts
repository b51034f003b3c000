/** Same bits? Every backend of the browser gives the digests of Node; the whole task gives that of the table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../data/types.ts';
import { expect, test } from './site.ts';

const catalogue = JSON.parse(
  readFileSync(join(import.meta.dirname, '../public/data/catalogue.json'), 'utf8'),
) as Catalogue;

test('the first load is at most 500 kB', async ({ site }) => {
  await site.open('index');
  await expect(site.page.locator('#run')).toBeEnabled();
  await site.page.waitForLoadState('networkidle');
  const sum = await site.page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .map((e) => (e as PerformanceResourceTiming).decodedBodySize)
      .reduce((a, n) => a + n, 0),
  );
  console.log(`first load: ${sum} bytes, not compressed`);
  expect(sum).toBeGreaterThan(50_000);
  expect(sum).toBeLessThanOrEqual(500_000);
});

/**
 * Super-resolution takes a software GPU longer than all other networks together, so it is run on GPUs for pictures of the whole page
 * alone (SITE_PICTURES). Try runs it on wasm with one thread and with two.
 */
const LEFT_OUT: readonly string[] = process.env['SITE_PICTURES'] === undefined ? ['super-resolution'] : [];

test('the networks on every backend: the digests of Node', async ({ site, browserName }) => {
  test.setTimeout(300_000);
  const { page } = site;
  const models = catalogue.models.filter((m) => !LEFT_OUT.includes(m.name));
  await site.only(models.map((m) => m.name));
  await site.open('index');
  await page.locator('#run').focus();
  await expect(page.locator('#run')).toBeEnabled();
  await page.keyboard.press('Enter');
  await expect(page.locator('#verdict')).toContainText('Same bits', { timeout: 280_000 });
  for (const m of models) {
    const shown = page.locator(`[data-model="${m.name}"] td[data-backend]`);
    const digests = await shown
      .locator('[data-digest]')
      .evaluateAll((cells) => cells.map((c) => c.getAttribute('data-digest')));
    expect(new Set(digests), m.name).toEqual(new Set([m.digest]));
    // Node's own, and at least reference (of small ones), wasm on one thread and on two; in Chromium both GPU backends.
    expect(digests.length, m.name).toBeGreaterThanOrEqual((browserName === 'chromium' ? 5 : 3) + (m.reference ? 1 : 0));
  }
  await site.axe('light');
  await site.axe('dark');
  await site.shot('same');
});

test('the whole task on wasm: the digest of ENGINES.json, as a row to hand on', async ({ site }) => {
  const { page } = site;
  await site.open('index');
  await page.locator('#suite').click();
  await expect(page.locator('#suite-rows .verdict')).toHaveClass(/good/, { timeout: 110_000 });
  // The file that the button offers: what is made into an address of it.
  await page.evaluate(() => {
    const make = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (blob: Blob) => {
      void blob.text().then((text) => document.body.setAttribute('data-file', text));
      return make(blob);
    };
  });
  await page.locator('#row-json').click();
  await expect(page.locator('body')).toHaveAttribute('data-file', /digest/);
  const rows = JSON.parse((await page.locator('body').getAttribute('data-file'))!) as Catalogue['engines']['rows'];
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ backend: 'wasm', differing: 0 });
  if (catalogue.whole) expect(rows[0]!.digest).toBe(catalogue.engines.rows[0]!.digest);
});

test('onnxruntime-web beside it, measured', async ({ site, browserName }) => {
  test.setTimeout(240_000);
  const { page } = site;
  await site.open('index');
  await page.locator('#contrast').click();
  const rows = page.locator('#contrast-out tbody tr');
  await expect(rows).toHaveCount(4, { timeout: 200_000 });
  console.log((await rows.allInnerTexts()).join(' | ').replaceAll('\n', ' '));
  // samebit gives the same on both, or its probe refuses the device, as it must refuse the llvmpipe of Debian 12.
  const gpu = await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) != null);
  const out = page.locator('#contrast-out');
  const refused = ((await out.textContent()) ?? '').includes('samebit refuses this device: the GPU computes');
  if (gpu && !refused) await expect(rows.last()).toContainText('0 of 640');
  else await expect(out).toContainText(gpu ? 'samebit refuses this device' : 'no WebGPU');
  if (gpu && browserName === 'chromium') {
    expect(refused).toBe(false);
    await expect(rows.nth(0).locator('.bad')).toHaveCount(1);
    await expect(rows.nth(2).locator('.bad')).toHaveCount(1);
  }
});
