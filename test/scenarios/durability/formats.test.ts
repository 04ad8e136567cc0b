/** O5: a log of each format stays readable, and goes the way it went. `UPDATE_LOGS=1` records those of today's format anew: only before it is released. */
import { MemoryJournal, RunState, checkReplay, stateFromJournal } from 'loopchart';
import { type ThreadEvent, openThread } from 'loopchart/thread';
import { virtualClock } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { JOURNAL_FORMAT } from '../../../machines/protocol/journal.ts';
import { JournalEntrySchema } from '../../../machines/protocol/journalSchemas.ts';
import { entriesIn, formats, record, recordThread, recorded, recordedThread } from '../../fixtures/journals/recorded.ts';
import { FIXTURES, agentsOf, played, runIdOf, seenIn } from '../../fixtures/journals/runs.ts';
import { THREADS, agentsOfThread, playedThread, seenInThread, threadIdOf } from '../../fixtures/journals/threads.ts';
import { recorded as journalOf } from '../support/mortal.ts';

const updates = process.env['UPDATE_LOGS'] === '1';

test('O5: every format up to that of today has its recorded runs', () => {
  expect(formats()).toEqual(Array.from({ length: JOURNAL_FORMAT }, (_, before) => before + 1));
});

if (updates) test.each(FIXTURES)('%s is recorded', async (name) => record(JOURNAL_FORMAT, name, await played(name)));
if (updates) test.each(THREADS)('the thread %s is recorded', async (name) => recordThread(JOURNAL_FORMAT, name, await playedThread(name)));

for (const format of formats()) {
  describe(`format ${format}`, () => {
    test.each(FIXTURES)('O5: %s is read, replayed and seen as it was', async (name) => {
      const fixture = recorded(format, name);
      const entries = entriesIn(fixture, runIdOf(name));
      for (const entry of entries) expect(JournalEntrySchema.safeParse(entry).error, entry.type).toBeUndefined();
      expect(await checkReplay(runIdOf(name), () => entries)).toEqual({ verdict: 'same' });
      const journal = new MemoryJournal();
      journal.append(runIdOf(name), { epoch: journal.open(runIdOf(name)).epoch, position: 0 }, entries);
      journal.close();
      expect(seenIn(await stateFromJournal(runIdOf(name), { journal, agents: agentsOf(name) }))).toEqual(fixture.seen);
      expect(seenIn(await RunState.fromString(agentsOf(name)[0]!, fixture.state))).toEqual(fixture.seen);
    });

    test.each(THREADS)('O5, I6: the thread %s is read, replayed, opened, seen and heard as it was', async (name) => {
      const [fixture, id] = [recordedThread(format, name), threadIdOf(name)];
      const entries = entriesIn(fixture, id);
      for (const entry of entries) expect(JournalEntrySchema.safeParse(entry).error, entry.type).toBeUndefined();
      expect(await checkReplay(id, () => entries)).toEqual({ verdict: 'same' });
      const events: ThreadEvent[] = [];
      const thread = await openThread(id, { journal: journalOf(id, entries), agents: agentsOfThread(), clock: virtualClock(), onEvent: (event) => void events.push(event) });
      expect(seenInThread(thread, events)).toEqual(fixture.seen);
      await thread.release();
    });
  });
}

test.each(THREADS)('O5: played today, the thread %s is recorded as it was', async (name) => {
  const today = await playedThread(name);
  expect(today.entries.map(({ type }) => type)).toEqual(entriesIn(recordedThread(JOURNAL_FORMAT, name), threadIdOf(name)).map(({ type }) => type));
});

test('O5: played today, they are recorded as they were', async () => {
  for (const name of FIXTURES) {
    const today = await played(name);
    expect(seenIn(today.state), name).toEqual(recorded(JOURNAL_FORMAT, name).seen);
    expect(today.entries.map(({ type }) => type), name).toEqual(entriesIn(recorded(JOURNAL_FORMAT, name), runIdOf(name)).map(({ type }) => type));
  }
});
