/**
 * Whether what we say has the shapes of the protocol. Its own program prints them: with `CODEX_BIN` naming it, all that servers say in the
 * other tests of this folder is held against them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ProtocolSchema, type Recorded } from './support/protocolSchema.ts';

const folder = mkdtempSync(join(tmpdir(), 'loopchart-schema-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { CODEX_BIN } = process.env;
/** Ours alone: a client of the protocol never asks for them. */
const isExtension = ({ message }: Recorded) => message.result?.queuedSubmission !== undefined && message.result.turn === undefined;

test('a message that does not fit a printed schema is found', () => {
  const notification = { $schema: 'http://json-schema.org/draft-07/schema#', oneOf: [{ type: 'object', required: ['method', 'params'], properties: { method: { const: 'thread/closed' }, params: { $ref: '#/definitions/Closed' } } }], definitions: { Closed: { type: 'object', required: ['threadId'], properties: { threadId: { type: 'string' } } } } };
  writeFileSync(join(folder, 'ServerNotification.json'), JSON.stringify(notification));
  const schema = new ProtocolSchema(folder);
  expect(schema.complaint({ message: { method: 'thread/closed', params: { threadId: 't' } } })).toBeUndefined();
  expect(schema.complaint({ message: { method: 'thread/closed', params: { threadId: 5 } } })).toContain('expected string');
  expect(schema.complaint({ message: { id: 1, result: {} }, method: 'thread/queue/add' })).toBe('no schema v2/ThreadQueueAddResponse or v1/ThreadQueueAddResponse or ThreadQueueAddResponse');
});

test('all that servers say in tests fits the schema that CODEX_BIN prints', ({ skip }) => {
  if (CODEX_BIN === undefined) {
    console.log('Skipped, because CODEX_BIN is not set: name the program of @openai/codex to hold our messages against its schema.');
    return skip('CODEX_BIN is not set');
  }
  const schema = ProtocolSchema.printedBy(CODEX_BIN, folder);
  const record = join(folder, 'said.jsonl');
  const here = fileURLToPath(new URL('.', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url)), 'run', here], { env: { ...process.env, CODEX_BIN: undefined, LOOPCHART_SERVER_RECORD: record }, encoding: 'utf8' });
  expect(status, stdout).toBe(0);
  const said = readFileSync(record, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Recorded);
  expect(said.length).toBeGreaterThan(500);
  expect(said.filter((one) => !isExtension(one)).flatMap((one) => schema.complaint(one) ?? [])).toEqual([]);
}, 600_000);
