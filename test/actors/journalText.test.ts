import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JournalDamage } from '../../actors/journal.ts';
import { type EntryPlace, entryFromText, entryToText } from '../../actors/journalText.ts';
import type { Call } from '../../machines/protocol/call.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';

const place: EntryPlace = { runId: 'run_1', position: 3 };
const ENTRIES: JournalEntry[] = [
  { type: 'run.start', format: 1, runId: 'run_1', threadId: 'thread_1', charts: { run: '1' }, input: { path: 'run_1', agent: 'A', given: [{ role: 'user', content: 'ünï 漢字 🂡\n' }] }, at: 1 },
  { type: 'command', command: { type: 'softStop' }, at: 2, mark: 'abc' },
  { type: 'decide', id: 'run_1/turn.1/toolCall.0.0/person#1', decision: { decision: 'approve' }, fingerprint: 'x', at: 3 },
  { type: 'effect.started', id: 'run_1/turn.1/toolCall.0.0/execute#1', at: 4 },
  { type: 'effect.item', id: 'run_1/turn.1/model#1', item: { role: 'user', content: 'x' }, at: 5 },
  { type: 'effect.done', id: 'run_1/turn.1/model#1', outcome: { status: 'ok', value: [null, { $same: 1 }] }, at: 6 },
  { type: 'effect.failed', id: 'run_1/turn.1/model#1', error: { name: 'Error', message: 'bug' }, at: 7 },
  { type: 'effect.lost', id: 'run_1/turn.1/model#1', at: 8 },
  { type: 'effect.late', id: 'run_1/turn.1/model#1', outcome: { status: 'lost' }, at: 9 },
  { type: 'run.rest', state: 'settled', status: 'completed', mark: 'def', at: 10 },
  { type: 'command', command: { type: 'steer', input: [{ id: 's', item: { role: 'user', content: 'x' } }], mode: 'instant', cut: { 'run_1/turn.1/model#1': [{ role: 'user', content: 'x' }] } }, at: 11 },
  ...readyEntries(),
];

/** A call with its item: as usual, of which something is special, of another item. */
function readyEntries(): JournalEntry[] {
  const item = { type: 'function_call' as const, callId: 'c', name: 'look', arguments: '{}' };
  const usual: Call = { index: 0, item, name: 'look', callId: 'c', tool: { effect: 'irreversible', approval: 'never' } };
  const calls: Call[] = [usual, { ...usual, index: 2, tool: { effect: 'pure', approval: 'ask' }, invalid: { reason: 'json', text: 'no' } }, { ...usual, item: { ...item, arguments: '{ }' } }];
  return calls.map((call): JournalEntry => ({ type: 'effect.item', id: 'run_1/turn.1/model#1', item, call, at: 12 }));
}

describe('an entry comes back as it was', () => {
  for (const entry of ENTRIES) {
    test(JSON.stringify(entry), () => {
      const text = entryToText(entry, place);
      expect(entryFromText(text, place)).toEqual(entry);
      expect(text).not.toContain('\n');
    });
  }

  test('whatever its id and the id of its run', () => {
    const id = fc.oneof(fc.string(), fc.constantFrom('~', '~/x', '~~/x', 'run_1', 'run_1/', 'run_1/~/x', '/x', ''));
    fc.assert(fc.property(id, fc.constantFrom('run_1', '~', '', 'a/b', '"'), fc.nat(), (name, runId, position) => {
      for (const given of [name, `${runId}/${name}`, `~/${name}`]) {
        const entry: JournalEntry = { type: 'effect.lost', id: given, at: 1 };
        expect(entryFromText(entryToText(entry, { runId, position }), { runId, position })).toEqual(entry);
      }
    }));
  });
});

test('a call is not written a second time with its item', () => {
  const [usual] = readyEntries();
  const text = entryToText(usual!, place);
  expect(text.split('look')).toHaveLength(2);
});

test('the id of the run is not written with each effect', () => {
  const runId = 'run_0123456789abcdef';
  expect(entryToText({ type: 'effect.lost', id: `${runId}/model#1`, at: 1 }, { runId, position: 0 })).not.toContain(runId);
});

describe('O5: what is not what was written is an error, never another entry', () => {
  const text = entryToText(ENTRIES[5]!, place);
  const refused = (given: string, at = place) => expect(() => entryFromText(given, at)).toThrow(JournalDamage);

  test('any bit of it', () => {
    for (let index = 0; index < text.length; index += 1) {
      for (let bit = 0; bit < 7; bit += 1) refused(text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ (1 << bit)) + text.slice(index + 1));
    }
  });

  test('any part of it', () => {
    for (let length = 0; length < text.length; length += 1) refused(text.slice(0, length));
    for (let start = 1; start < text.length; start += 1) refused(text.slice(start));
    refused(`${text} `);
    refused(text + text);
  });

  test('another position, another run', () => {
    refused(text, { runId: 'run_1', position: 4 });
    refused(text, { runId: 'run_2', position: 3 });
  });

  test('the error says which entry of which run', () => {
    expect(() => entryFromText('x', place)).toThrow(expect.objectContaining({ runId: 'run_1', position: 3 }));
  });

  test('an entry of a newer version says that loopchart is to be updated', () => {
    for (const entry of [{ type: 'effect.paused', id: '~/x' }, { type: '__proto__' }, { type: 'toString' }]) {
      expect(() => entryFromText(entryToText({ ...entry, at: 1 } as unknown as JournalEntry, { runId: '', position: 0 }), { runId: '', position: 0 })).toThrow('update loopchart');
    }
  });
});
