/**
 * A page of the site under test. Errors on its console, failed requests and requests to any other origin fail the test.
 * @module
 */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type Page } from 'playwright/test';

/** Pages by the names of their files. */
export const PAGES = ['index', 'try', 'convert', 'inspect', 'dispute'] as const;

/** The site in a browser. */
export class Site {
  readonly page: Page;
  readonly #origin: string;
  /** What must not have happened. */
  readonly faults: string[] = [];

  constructor(page: Page, baseURL: string) {
    this.page = page;
    this.#origin = new URL(baseURL).origin;
    page.on('console', (m) => {
      if (m.type() === 'error') this.faults.push(`console: ${m.text()}`);
    });
    page.on('pageerror', (e) => this.faults.push(`uncaught: ${e.message}`));
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (url.protocol.startsWith('http') && url.origin !== this.#origin) this.faults.push(`request: ${r.url()}`);
    });
    page.on('response', (r) => {
      if (r.status() >= 400) this.faults.push(`${r.status()}: ${r.url()}`);
    });
  }

  /** Opens a page by the name of its file. */
  async open(name: (typeof PAGES)[number]): Promise<void> {
    await this.page.goto(`${name}.html`);
  }

  /** A catalogue of some models alone, in pages opened hereafter. Routes of the driver would hold the workers of threads in Firefox. */
  async only(names: readonly string[]): Promise<void> {
    await this.page.addInitScript((kept) => {
      const whole = globalThis.fetch;
      globalThis.fetch = async (what, how) => {
        const response = await whole(what, how);
        if (!String(what).endsWith('/catalogue.json')) return response;
        const catalogue = (await response.json()) as { models: { name: string }[] };
        return Response.json({ ...catalogue, models: catalogue.models.filter((m) => kept.includes(m.name)) });
      };
    }, names);
  }

  /** Chooses a theme as the switch does. */
  async theme(theme: 'light' | 'dark'): Promise<void> {
    const pressed = String(theme === 'dark');
    const toggle = this.page.locator('#theme');
    if ((await toggle.getAttribute('aria-pressed')) !== pressed) await toggle.click();
    await expect(toggle).toHaveAttribute('aria-pressed', pressed);
  }

  /** No serious or critical finding of axe in a theme. */
  async axe(theme: 'light' | 'dark'): Promise<void> {
    await this.theme(theme);
    const { violations } = await new AxeBuilder({ page: this.page }).analyze();
    const grave = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
    expect(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([]);
  }

  /** The digest that an element shows. */
  async digest(within: string): Promise<string> {
    return (await this.page.locator(`${within} [data-digest]`).first().getAttribute('data-digest')) ?? '';
  }

  /**
   * Pictures of the page as it is in Chromium from an element on, light at a desk and dark on a phone, into docs/site where
   * SITE_PICTURES is set.
   */
  async shot(name: string, from = 'body'): Promise<void> {
    if (process.env['SITE_PICTURES'] === undefined || test.info().project.name !== 'chromium') return;
    for (const [kind, theme, width, height] of [
      ['desktop', 'light', 1120, 900],
      ['phone', 'dark', 390, 844],
    ] as const) {
      await this.theme(theme);
      await this.page.setViewportSize({ width, height });
      await this.page
        .locator(from)
        .first()
        .evaluate((e) => scrollTo(0, e.getBoundingClientRect().top + scrollY - 8));
      await this.page.waitForTimeout(500); // what came into view is painted in pieces
      await this.page.screenshot({
        path: join(import.meta.dirname, '../../docs/site', `${name}-${kind}.png`),
        animations: 'disabled',
      });
    }
  }
}

/** Tests with a `site`, whose faults are checked at the end. */
export const test = base.extend<{ site: Site }>({
  site: async ({ page, baseURL }, use) => {
    const site = new Site(page, baseURL!);
    await use(site);
    expect(site.faults).toEqual([]);
  },
});

export { expect };
