/** Every page: it loads, says nothing to the console, asks nobody else, passes axe in both themes, works by keyboard. */
import { expect, PAGES, test } from './site.ts';

for (const page of PAGES) {
  test(`${page}: loads, in both themes without serious findings`, async ({ site }) => {
    await site.open(page);
    await expect(site.page.locator('h1')).toBeVisible();
    await site.axe('light');
    await site.axe('dark');
  });
}

test('the skip link, the navigation and the switch of themes work by keyboard', async ({ site }) => {
  const { page } = site;
  await site.open('index');
  await page.keyboard.press('Tab');
  await expect(page.locator('.skip')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  const toggle = page.locator('#theme');
  const before = await toggle.getAttribute('aria-pressed');
  await toggle.focus();
  await page.keyboard.press('Enter');
  await expect(toggle).not.toHaveAttribute('aria-pressed', before!);
  await page.reload();
  await expect(toggle).not.toHaveAttribute('aria-pressed', before!);
  await page.locator('nav a', { hasText: 'Try' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('h1')).toHaveText('Try');
  await expect(page.locator('nav a[aria-current]')).toHaveText('Try');
});
