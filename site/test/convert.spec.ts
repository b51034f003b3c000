/** Convert: the same bytes as the command line, coded refusals, a stop that works. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from './site.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'examples/german-credit/model.onnx');
const PEOPLE = join(ROOT, 'examples/german-credit/calib.npy');

/** What the command line makes of the same files. */
function byCommand(onnx: string, calib: string, ...flags: readonly string[]): { id: string; sbm: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'samebit-site-'));
  try {
    const out = join(folder, 'out.sbm');
    const args = ['convert', onnx, '-o', out, '--calib', calib, ...flags, '--json'];
    const cli = join(ROOT, 'src/cli/main.ts');
    const text = execFileSync(process.execPath, ['--import', 'tsx', cli, ...args], { cwd: ROOT, encoding: 'utf8' });
    return { id: JSON.parse(text).id, sbm: readFileSync(out) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the digits become the bytes that the command line gives, with a report and both models side by side', async ({
  site,
  browserName,
}) => {
  const { page } = site;
  const folder = join(ROOT, 'examples/mnist');
  const expected = byCommand(
    join(folder, 'model.onnx'),
    join(folder, 'calib.npy'),
    '--input-type',
    'u8',
    '--std',
    '255',
  );
  await site.open('convert');
  await page.getByRole('button', { name: 'Digits (mnist)' }).click();
  await expect(page.locator('#command')).toHaveText(
    'samebit convert mnist.onnx -o mnist.sbm --calib digits.npy --input-type u8 --std 255',
  );
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  await expect(page.locator('.verdict')).toContainText('mnist.sbm');
  expect(await site.digest('#facts')).toBe(expected.id);
  await page.evaluate(() => {
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      Object.assign(globalThis, { offered: blob });
      return make.call(URL, blob);
    };
  });
  const file = browserName === 'chromium' && page.waitForEvent('download'); // the other driver does not tell
  await page.getByRole('button', { name: 'Download mnist.sbm' }).click();
  const offered = await page.evaluate(async () => {
    const { offered } = globalThis as unknown as { offered: Blob };
    return Array.from(new Uint8Array(await offered.arrayBuffer()));
  });
  expect(Buffer.from(offered).equals(expected.sbm)).toBe(true);
  if (file) expect(readFileSync(await (await file).path()).equals(expected.sbm)).toBe(true);
  const samples = page.getByRole('region', { name: /first samples/ });
  await expect(samples.getByRole('row')).toHaveCount(13);
  for (const row of (await samples.getByRole('row').all()).slice(1)) {
    const [, float, ours] = await row.getByRole('cell').allTextContents();
    expect(ours).toBe(float);
  }
  const report = page.frameLocator('iframe.report');
  await expect(report.locator('h1')).toContainText('Conversion of');
  await expect(report.locator('img').first()).toHaveJSProperty('naturalWidth', 28);
  await site.shot('convert', '#result-title');
  await page.locator('iframe.report').evaluate((f) => f.remove()); // no script may run in it, that of axe included
  await site.axe('light');
  await site.axe('dark');
});

test('a file of one’s own, by keyboard, with options', async ({ site }) => {
  const { page } = site;
  const expected = byCommand(MODEL, PEOPLE, '--target', '0', '--ranges', 'mse');
  await site.open('convert');
  await page.locator('input[type=file]').setInputFiles([MODEL, PEOPLE]);
  await page.locator('#target').fill('0');
  await page.locator('#ranges').selectOption('mse');
  await page.locator('#convert').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('.verdict')).toBeVisible();
  expect(await site.digest('#facts')).toBe(expected.id);
});

test('refusals have a code and a next step', async ({ site }) => {
  const { page } = site;
  const onnx = readFileSync(MODEL);
  const people = readFileSync(PEOPLE);
  const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
  const cases: [what: string, files: ReturnType<typeof file>[], said: RegExp][] = [
    ['no samples', [file('m.onnx', onnx)], /ImportError NeedsCalibration/],
    ['no model', [file('m.onnx', Buffer.from('nothing of the kind'))], /ImportError (NotOnnx|Truncated)/],
    ['half a model', [file('m.onnx', onnx.subarray(0, 9000)), file('x.npy', people)], /ImportError Truncated/],
    ['nothing', [file('m.onnx', Buffer.alloc(0))], /ImportError Empty/],
    ['no array', [file('m.onnx', onnx), file('x.npy', Buffer.from('nothing'))], /FileError NotNpy/],
    ['a huge array', [file('m.onnx', onnx), file('x.npy', hugeArray())], /FileError Truncated/],
    [
      'the name of no input',
      [file('m.onnx', onnx), file('x.npy', people), file('y.npy', people)],
      /ImportError BadOption/,
    ],
  ];
  await site.open('convert');
  for (const [what, files, said] of cases) {
    await page.locator('input[type=file]').setInputFiles(files);
    await page.locator('#convert').click();
    const box = page.getByRole('alert');
    await expect(box, what).toContainText(said);
    await expect(box, what).toContainText('Next:');
    await expect(page.locator('#convert')).toBeEnabled();
  }
  await page.locator('#std').fill('many');
  await page.locator('#convert').click();
  await expect(page.getByRole('alert')).toContainText('UsageError BadOption');
});

/** An array that says it has 2^40 elements. */
function hugeArray(): Buffer {
  const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }".padEnd(117);
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  return Buffer.concat([head, Buffer.from(`${dict}\n`)]);
}

test('a conversion stops, and another begins', async ({ site }) => {
  const { page } = site;
  await site.open('convert');
  await page.getByRole('button', { name: 'Digits (mnist)' }).click();
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('.progress')).toContainText('Stopped.');
  await expect(page.locator('.verdict')).toHaveCount(0);
  await page.getByRole('button', { name: 'Credit (tabular)' }).click();
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  await expect(page.locator('.verdict')).toContainText('credit.sbm');
});
