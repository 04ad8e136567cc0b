/** Every public name of the Agents SDK's core that an app may use is there, or stands in the list of what is left out, with the reason. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import * as peer from '@openai/agents-core';
import * as peerExtensions from '@openai/agents-core/extensions';
import * as ours from 'loopchart';
import { describe, expect, test } from 'vitest';

const LEFT_OUT: Readonly<Record<string, string>> = {
  MCPServerStdio: 'transports come with an adapter of their own; any MCPServer plugs in',
  MCPServerSSE: 'as MCPServerStdio',
  MCPServerStreamableHttp: 'as MCPServerStdio',
  getLogger: 'there is no logger: onEvent and inspect tell what happens',
  setSensitiveDataLoggingEnabled: 'as getLogger',
  TraceProvider: 'traces come with an adapter of their own',
  getGlobalTraceProvider: 'as TraceProvider',
  protocol: 'the entry loopchart/protocol, because schemas load zod',
};

const peerEntry = createRequire(import.meta.url).resolve('@openai/agents-core');
const declarations = readFileSync(new URL('index.d.ts', pathToFileURL(peerEntry)), 'utf8');
const tracing: object = await import(new URL('tracing/index.mjs', pathToFileURL(peerEntry)).href);
const checked = readFileSync(new URL('frontDoor.test-d.ts', import.meta.url), 'utf8');

describe('the front door', () => {
  test('has every value of the Agents SDK that is not left out', () => {
    const expected = Object.keys(peer).filter((name) => !(name in LEFT_OUT) && !(name in tracing));
    expect(expected.filter((name) => !(name in ours))).toEqual([]);
    expect(expected.length).toBeGreaterThan(70);
  });

  test('has the helps for handoffs, which are a second entry there', () => {
    expect(Object.keys(peerExtensions).filter((name) => !(name in ours))).toEqual([]);
  });

  test('has every type of the Agents SDK that is not left out: the compiler checks the list, this checks that it is whole', () => {
    const expected = namesIn(declarations).filter((name) => !(name in LEFT_OUT));
    expect(namesIn(checked)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(250);
  });

  test('leaves out nothing that it has, and nothing that the Agents SDK does not have', () => {
    const known = new Set([...Object.keys(peer), ...namesIn(declarations)]);
    expect(Object.keys(LEFT_OUT).filter((name) => name in ours || !known.has(name))).toEqual([]);
  });

  test('values are of the kind they are there', () => {
    const shared = Object.keys(peer).filter((name) => name in ours);
    const kinds = (entry: Record<string, unknown>) => Object.fromEntries(shared.map((name) => [name, typeof entry[name]]));
    expect(kinds(ours)).toEqual(kinds(peer));
  });

  test('errors have the names they have there, so that code which looks at names keeps working', () => {
    const errors = Object.entries<unknown>(ours).filter(([name]) => name in peer && /(Error|Triggered)$/.test(name));
    expect(errors.map(([, error]) => (error as { prototype: Error }).prototype.name)).toEqual(errors.map(([name]) => name));
    expect(errors.length).toBeGreaterThan(12);
  });
});

/** Names in the export lists of a source, sorted. */
function namesIn(source: string): string[] {
  const lists = [...source.matchAll(/export (?:type )?\{([^}]*)\} from/g)].map(([, list = '']) => list);
  return lists.flatMap((list) => list.split(',').map((name) => name.trim()).filter(Boolean)).sort();
}
