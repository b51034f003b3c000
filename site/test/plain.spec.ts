/** A host of plain files: no isolation, so no threads; and a browser without WebGPU. Everything works, and the pages say what is missing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, PLAIN } from './servers.ts';
import { expect, test } from './site.ts';

const ROOT = join(import.meta.dirname, '../..');
const digestOf = (name: string): string =>
  JSON.parse(readFileSync(join(ROOT, `site/public/data/${name}.json`), 'utf8')).digest;

test.use({ baseURL: addressOf(PLAIN) });
test.beforeEach(async ({ page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'));
});

test('Same bits? on one thread, without WebGPU', async ({ site, browserName }) => {
  const { page } = site;
  await site.only(['mnist-cnn', 'german-credit']);
  await site.open('index');
  expect(await page.evaluate(() => [crossOriginIsolated, navigator.gpu])).toEqual([false, undefined]);
  await page.locator('#run').click();
  await expect(page.locator('#verdict')).toContainText('Same bits');
  const row = page.locator('#board tbody tr').first();
  await expect(row).toContainText('the page is not cross-origin isolated: no shared memory');
  await expect(row).toContainText('this browser has no WebGPU');
  await expect(row.locator('[data-digest]')).toHaveCount(browserName === 'chromium' ? 4 : 3); // Node, reference, wasm, WebGL2
  for (const name of ['webgpu', 'wasm:2'])
    await expect(page.locator(`#suite-backends input[value="${name}"]`)).toBeDisabled();
});

test('Try offers what there is, and gives the digest of Node', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  await expect(page.locator('#backend option')).toHaveText(['wasm', 'webgl']);
  await expect(page.locator('#backend-hint')).toContainText('wasm:2: the page is not cross-origin isolated');
  await expect(page.locator('#backend-hint')).toContainText('webgpu: this browser has no WebGPU');
  await page.locator('#face-sample').click();
  await expect(page.locator('#face-answer')).toHaveText('1 face');
  expect(await site.digest('#face-out')).toBe(digestOf('yunet'));
});

test('Convert, Inspect and Dispute need neither', async ({ site }) => {
  const { page } = site;
  await site.open('convert');
  await page.getByRole('button', { name: 'Credit (tabular)' }).click();
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  await expect(page.locator('.verdict')).toContainText('credit.sbm');
  await site.open('inspect');
  await page.getByRole('button', { name: 'Digits (.sbm)' }).click();
  await expect(page.locator('#facts [data-digest]')).toBeVisible();
  await site.open('dispute');
  await page.getByRole('button', { name: 'Claim it' }).click();
  await expect(page.locator('.move')).toHaveCount(1);
});
