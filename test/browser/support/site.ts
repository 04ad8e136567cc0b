/** Entries bundled as an app's own build would, and a browser that opens them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type BuildResult, build } from 'esbuild';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll } from 'vitest';

export type Bundle = BuildResult<{ metafile: true }> & { folder: string };

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** For browsers, in chunks, with whatever is imported on use in a chunk of its own. */
export async function bundle(name: string, path: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'loopchart-'));
  folders.push(folder);
  const result = await build({
    entryPoints: { [name]: path },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    jsx: 'automatic',
    metafile: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    // Providers are loaded on first use, and only where they are installed.
    external: ['openai', 'openai/*'],
    logLevel: 'silent',
  });
  return { ...result, folder };
}

export const launch = async (): Promise<Browser> => playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true });

/** @param head what stands in the head of the page, @param body in its body. */
export interface Site { folder: string; title: string; head?: string; body?: string }

/** A page of the site while it is visited; whatever it complains about is told. The page stays: this browser ends with its last page. */
export async function visiting<Value>(browser: Browser, site: Site, visit: (page: Page) => Promise<Value>): Promise<{ value: Value; complaints: string[] }> {
  const server = createServer((request, response) => void answer(site, request.url ?? '/').then(({ type, text }) => response.setHeader('content-type', type).end(text)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { value: await visit(page), complaints };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function answer({ folder, title, head = '', body = '' }: Site, url: string): Promise<{ type: string; text: string }> {
  if (url === '/') return { type: 'text/html', text: `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">${head}<body>${body}</body></html>` };
  return { type: 'text/javascript', text: await readFile(join(folder, url.slice(1)), 'utf8') };
}
