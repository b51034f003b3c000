/**
 * The built site in this machine's own Chromium and Firefox, below a path, served with and without the headers of isolation.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type PlaywrightTestConfig } from 'playwright/test';
import { addressOf, BELOW, ISOLATED, PLAIN } from './test/servers.ts';

const here: string = import.meta.dirname;

/** A browser of the system. */
function program(...names: readonly string[]): string {
  const found = names.map((n) => join('/usr/bin', n)).find((p) => existsSync(p));
  if (found === undefined) throw new Error(`this machine has no ${names[0]}: bash test/engines/install.sh`);
  return found;
}

/** A camera that films a pattern, too. */
const CHROMIUM = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--use-fake-device-for-media-stream',
];

/** Pages are not kept on going back: the driver waits for a load event, which a kept page does not fire. Its camera is a pattern. */
const FIREFOX = {
  'browser.sessionhistory.max_total_viewers': 0,
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'webgl.force-enabled': true,
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'app.update.enabled': false,
};

const config: PlaywrightTestConfig = defineConfig({
  testDir: 'test',
  testMatch: '*.spec.ts',
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 60_000 },
  reporter: process.env['CI'] ? [['line'], ['json', { outputFile: 'test-results/report.json' }]] : 'list',
  use: { baseURL: addressOf(ISOLATED), viewport: { width: 1280, height: 900 } },
  webServer: [ISOLATED, PLAIN].map((server) => ({
    command: `npx vite preview --mode ${server.mode} --base ${BELOW} --host 127.0.0.1 --port ${server.port} --strictPort`,
    cwd: here,
    url: addressOf(server),
  })),
  projects: [
    {
      name: 'chromium',
      use: { browserName: 'chromium', launchOptions: { executablePath: program('chromium'), args: CHROMIUM } },
    },
    {
      name: 'firefox',
      use: {
        browserName: 'firefox',
        channel: 'moz-firefox',
        launchOptions: { executablePath: program('firefox-esr', 'firefox'), firefoxUserPrefs: FIREFOX },
      },
    },
  ],
});
export default config;
