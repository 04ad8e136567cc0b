import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import { type BuildResult, build } from 'esbuild';
import { type Browser, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

type Bundle = BuildResult<{ metafile: true }> & { folder: string };

const entryOf = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
const folders: string[] = [];

/** As an app's own build would: for browsers, in chunks, with whatever is imported on use in a chunk of its own. */
async function bundle(name: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'loopchart-'));
  folders.push(folder);
  const result = await build({
    entryPoints: { [name]: entryOf(name) },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    metafile: true,
    // Providers are loaded on first use, and only where they are installed.
    external: ['openai', 'openai/*'],
    logLevel: 'silent',
  });
  return { ...result, folder };
}

/** Sources that the browser loads before anything is used: the entry and all that it imports statically. */
function initialSources({ metafile }: Bundle, name: string): string[] {
  const first = Object.keys(metafile.outputs).find((path) => path.endsWith(`/${name}.js`))!;
  const pending = [first];
  const met = new Set(pending);
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const { path: imported, kind, external } of metafile.outputs[path]!.imports) {
      if (external && kind === 'import-statement') met.add(imported);
      if (external || kind !== 'import-statement' || met.has(imported)) continue;
      met.add(imported);
      pending.push(imported);
    }
  }
  return [...met].flatMap((path) => (metafile.outputs[path] ? Object.keys(metafile.outputs[path].inputs) : [path]));
}

/** Everything that is imported anywhere, chunks that are loaded later included. */
const allSources = ({ metafile }: Bundle) => [
  ...Object.keys(metafile.inputs),
  ...Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external).map(({ path }) => path)),
];

const isPackage = (name: string) => (source: string) => source === name || source.includes(`node_modules/${name}/`) || source.startsWith(`${name}/`);

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

describe.each(['embedded', 'frontDoor'])('bundled for a browser, %s.ts', (name) => {
  let made: Bundle;
  beforeAll(async () => {
    made = await bundle(name);
  });

  test('needs nothing of Node, in no chunk', () => {
    expect(allSources(made).filter((source) => /^node:|^(fs|path|crypto|buffer|process|events|stream|util|http|https|net|tls|url)$/.test(source))).toEqual([]);
    expect(made.warnings).toEqual([]);
  });

  test('loads neither zod nor openai nor rxjs at first', () => {
    const initial = initialSources(made, name);
    expect(initial.some(isPackage('xstate'))).toBe(true);
    expect(initial.filter((source) => ['zod', 'openai', 'rxjs'].some((one) => isPackage(one)(source)))).toEqual([]);
  });
});

describe('in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true });
  }, 60_000);
  afterAll(() => browser.close());

  /** What the entry's `outcome()` resolves to in the page; whatever the page complains about fails the test. */
  async function outcomeIn(name: string): Promise<unknown> {
    const { folder } = await bundle(name);
    const server = createServer((request, response) => void serve(folder, name, request.url ?? '/').then(({ type, text }) => response.setHeader('content-type', type).end(text)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const outcome = await page.evaluate<unknown>(`import('/${name}.js').then((entry) => entry.outcome())`);
      expect(complaints).toEqual([]);
      return outcome; // The page stays: this browser ends with its last page.
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test('the charts run in an app that embeds them, with effects of its own', { timeout: 60_000 }, async () => {
    expect(await outcomeIn('embedded')).toEqual({
      status: 'completed',
      output: 'It rains in Oslo.',
      items: ['function_call', 'function_call_result'],
      words: ['running', 'settled'],
    });
  });

  test('the front door runs agents, an approval, a handoff and a stream', { timeout: 60_000 }, async () => {
    expect(await outcomeIn('frontDoor')).toEqual({
      waiting: ['pay'],
      output: 'Paid.',
      events: expect.arrayContaining(['raw_model_stream_event', 'tool_output', 'message_output_created']),
      saved: 'string',
    });
  });
});

async function serve(folder: string, name: string, url: string): Promise<{ type: string; text: string }> {
  if (url === '/') return { type: 'text/html', text: `<!doctype html><title>${name}</title><link rel="icon" href="data:,">` };
  return { type: 'text/javascript', text: await readFile(join(folder, url.slice(1)), 'utf8') };
}
