/**
 * The site: five pages in one layout, the library from its sources under the names it is published by, no address but its own.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const here: string = import.meta.dirname;
const source = (name: string): string => join(here, '../src', `${name}.ts`);

/** Pages in the order of the navigation. */
const PAGES = [
  ['index', 'Same bits?'],
  ['try', 'Try'],
  ['convert', 'Convert'],
  ['inspect', 'Inspect'],
  ['dispute', 'Dispute'],
] as const;

/** What a page may load: itself. WebAssembly is compiled, workers and downloads are blobs. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval' blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' blob: data:",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Puts a page, which is its head's own lines and its `<main>`, into layout.html. */
function layout(): Plugin {
  let built = false;
  return {
    name: 'layout',
    configResolved(config) {
      built = config.command === 'build';
    },
    transformIndexHtml: {
      order: 'pre',
      handler(page, { path }) {
        const name = /(\w+)\.html$/.exec(path)?.[1] ?? 'index';
        const at = page.indexOf('<main');
        const nav = PAGES.map(([file, label]) => {
          const current = file === name ? ' aria-current="page"' : '';
          return `<li><a href="./${file}.html"${current}>${label}</a></li>`;
        });
        const policy = built ? `<meta http-equiv="Content-Security-Policy" content="${POLICY}" />` : '';
        return readFileSync(join(here, 'layout.html'), 'utf8')
          .replace('<!--policy-->', () => policy)
          .replace('<!--head-->', () => page.slice(0, at))
          .replace('<!--nav-->', () => nav.join('\n            '))
          .replace('<!--main-->', () => page.slice(at));
      },
    },
  };
}

/** With these headers pages may share memory among threads; without them they run on one. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig(({ mode }) => ({
  root: here,
  base: './',
  appType: 'mpa',
  plugins: [layout()],
  resolve: {
    alias: [
      { find: /^samebit$/, replacement: source('index') },
      { find: /^samebit\/([\w]+)$/, replacement: source('$1') },
      { find: 'node:zlib', replacement: join(here, 'src/convert/zlib.ts') },
      { find: /^gpu\.js$/, replacement: join(here, 'src/same/no-gpujs.ts') },
      { find: /^node:fs$/, replacement: join(here, 'src/shell/no-files.ts') },
    ],
  },
  worker: { format: 'es' },
  server: { headers: ISOLATED, fs: { allow: ['..'] } },
  preview: { headers: mode === 'plain' ? {} : ISOLATED },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: PAGES.map(([name]) => join(here, `${name}.html`)) },
  },
}));
