/** Inspect: what a model holds, by pointer, keyboard and table; broken files are refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './site.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
const GOLDEN = JSON.parse(readFileSync(join(ROOT, 'test/golden/models/mnist-cnn.digests.json'), 'utf8'));

test('an integer model: id, gas, a node by pointer and by keyboard, the same from the table', async ({ site }) => {
  const { page } = site;
  await site.open('inspect');
  await page.locator('input[type=file]').setInputFiles(MODEL);
  expect(await site.digest('#facts')).toBe(GOLDEN.id);
  await expect(page.locator('#facts')).toContainText(Number(GOLDEN.gas).toLocaleString('en'));
  await page.locator('.box[data-node="1"]').click();
  await expect(page.locator('#node')).toContainText('Node 1 ');
  await expect(page.locator('#node')).toContainText('of what an int32 holds');
  await expect(page.locator('#node .histogram').first()).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.locator('#node')).toContainText('Node 2 ');
  await expect(page.locator('.box[aria-pressed="true"]')).toHaveAttribute('data-node', '2');
  await page.getByRole('button', { name: /^Show node 0 / }).click();
  await expect(page.locator('#node')).toContainText('Node 0 ');
  await expect(page.getByRole('region', { name: /Memory of a run/ }).getByRole('row')).toHaveCount(4);
  await site.shot('inspect', '#view h2');
  await site.axe('light');
  await site.axe('dark');
});

test('an ONNX file', async ({ site }) => {
  const { page } = site;
  await site.open('inspect');
  await page.getByRole('button', { name: 'Digits (.onnx)' }).click();
  await page.locator('.box[data-node="0"]').click();
  await expect(page.locator('#node')).toContainText('Conv');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await site.axe('light');
});

test('the character model: more nodes than fit a screen', async ({ site }) => {
  const { page } = site;
  await site.open('inspect');
  await page.getByRole('button', { name: 'Character model (.sbm)' }).click();
  await expect(page.locator('.graph [data-node]')).toHaveCount(87);
  await expect(page.locator('#nodes tbody tr')).toHaveCount(87);
});

test('broken files are refused by their code, and the page goes on', async ({ site }) => {
  const { page } = site;
  const sbm = readFileSync(MODEL);
  const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
  const flipped = Buffer.from(sbm);
  flipped[40] = flipped[40]! ^ 0xff;
  const cases = [
    ['half a model', file('half.sbm', sbm.subarray(0, sbm.length >> 1)), /ModelError Truncated/],
    ['nothing', file('none.sbm', Buffer.alloc(0)), /ModelError/],
    ['a flipped byte', file('flipped.sbm', flipped), /ModelError/],
    ['text', file('text.sbm', Buffer.from('<script>alert(1)</script>')), /ModelError/],
    [
      'half an ONNX file',
      file('half.onnx', readFileSync(join(ROOT, 'examples/mnist/model.onnx')).subarray(0, 4096)),
      /ImportError Truncated/,
    ],
  ] as const;
  await site.open('inspect');
  for (const [what, broken, said] of cases) {
    await page.locator('input[type=file]').setInputFiles(broken);
    const box = page.getByRole('alert');
    await expect(box, what).toContainText(said);
    await expect(box, what).toContainText('Next:');
  }
  await page.locator('input[type=file]').setInputFiles(MODEL);
  expect(await site.digest('#facts')).toBe(GOLDEN.id);
});
