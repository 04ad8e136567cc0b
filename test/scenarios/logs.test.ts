/** Event logs that no test compares any more would go stale unseen. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { slugOf } from './support/eventLog.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** What stands first in `test(…)`, `describe(…)` and `test.each(…)(…)`. */
const NAME = /(?:\b(?:test|describe)|\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1,/g;

test('every event log belongs to a test that is there', () => {
  const orphans = readdirSync(join(HERE, 'logs'), { recursive: true, encoding: 'utf8' }).filter((log) => log.endsWith('.json') && !hasTest(log));
  expect(orphans, 'delete these logs, or bring their tests back').toEqual([]);
});

function hasTest(log: string): boolean {
  const folder = dirname(log);
  const file = join(HERE, `${folder}.test.ts`);
  if (!existsSync(file)) return false;
  const slug = log.slice(dirname(log).length + 1).replace(/(\.\d+)?\.json$/, '');
  return namesIn(readFileSync(file, 'utf8')).some((name) => slug === slugOf(name) || matches(name, slug));
}

const namesIn = (source: string) => [...source.matchAll(NAME)].map((match) => match[2]!.replaceAll(/\\(.)/g, '$1'));

/** Names of `test.each` and names inside `describe` are known in part only. */
function matches(name: string, slug: string): boolean {
  const parts = name.split(/%[a-z]|\$\w+(?:\.\w+)*|\$\{[^}]*\}/).map(slugOf).filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => slug.includes(part));
}
