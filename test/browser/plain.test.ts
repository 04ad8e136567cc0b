import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bundle, bundle, launch, visiting } from './support/site.ts';

const entryOf = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));

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

describe.each(['embedded', 'frontDoor'])('bundled for a browser, %s.ts', (name) => {
  let made: Bundle;
  beforeAll(async () => {
    made = await bundle(name, entryOf(name));
  });

  test('needs nothing of Node, in no chunk', () => {
    expect(allSources(made).filter((source) => /^node:|^(fs|path|crypto|buffer|process|events|stream|util|http|https|net|tls|url)$/.test(source))).toEqual([]);
    expect(made.warnings).toEqual([]);
  });

  test('loads neither zod nor openai nor rxjs at first', () => {
    const initial = initialSources(made, name);
    expect(initial.some(isPackage('xstate'))).toBe(name === 'embedded'); // the front door loads the charts with its first run
    expect(initial.filter((source) => ['zod', 'openai', 'rxjs'].some((one) => isPackage(one)(source)))).toEqual([]);
  });
});

describe('in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser.close());

  /** What the entry's `outcome()` resolves to in the page; whatever the page complains about fails the test. */
  async function outcomeIn(name: string): Promise<unknown> {
    const { folder } = await bundle(name, entryOf(name));
    const { value, complaints } = await visiting(browser, { folder, title: name }, (page) => page.evaluate<unknown>(`import('/${name}.js').then((entry) => entry.outcome())`));
    expect(complaints).toEqual([]);
    return value;
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
