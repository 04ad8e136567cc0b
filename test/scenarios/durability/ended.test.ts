/** O1: the end of a run is written down, whoever comes to write it. */
import { Agent, type JournalEntry, MemoryJournal, resume, run } from 'loopchart';
import { calls, fails, says, scriptedModel } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';

/** A journal in which the last entry of a run is missing: its process died before it was written. */
function without(last: JournalEntry['type'], entries: readonly JournalEntry[]): MemoryJournal {
  expect(entries.at(-1)?.type).toBe(last);
  const journal = new MemoryJournal();
  const { epoch } = journal.open('run_1');
  journal.append('run_1', { epoch, position: 0 }, entries.slice(0, -1));
  journal.release('run_1', epoch);
  return journal;
}

test.each([
  ['completed', [calls('look'), says('Seen.')], { finalOutput: 'Seen.' }],
  ['failed', [fails({ status: 500 })], { name: 'ModelError' }],
] as const)('O1: a run that was %s when its process died, and was not written to be, is so once it is resumed', async (status, steps, outcome) => {
  const look = counted('look', 'seen');
  const first = new MemoryJournal();
  const agent = (model = scriptedModel(...steps)) => new Agent({ name: 'A', model, tools: [look.tool] });
  await run(agent(), 'go', { journal: first, runId: 'run_1' }).catch(() => undefined); // one of them fails
  const journal = without('run.rest', first.read('run_1'));
  expect(journal.list()).toMatchObject([{ state: 'running' }]);
  const told = await resume('run_1', { journal, agents: agent(scriptedModel()) }).catch((error: unknown) => error);
  expect(told).toMatchObject(outcome);
  expect(journal.list()).toMatchObject([{ state: 'settled', status, length: first.read('run_1').length }]);
  expect(look.runs).toBe(status === 'completed' ? 1 : 0);
});

test('O1: so is one that had waited for a person before', async () => {
  const journal = new MemoryJournal();
  const agent = new Agent({ name: 'A', model: scriptedModel(calls('look'), says('Seen.')), tools: [counted('look', 'seen', { needsApproval: true }).tool] });
  const { state } = await run(agent, 'go', { journal, runId: 'run_1' });
  state.approve(state.getInterruptions()[0]!);
  await run(agent, state);
  const cut = without('run.rest', journal.read('run_1'));
  await resume('run_1', { journal: cut, agents: agent });
  expect(cut.read('run_1').map(({ type }) => type)).toEqual(journal.read('run_1').map(({ type }) => type));
});

test('O1: what was written to have ended is not written again', async () => {
  const journal = new MemoryJournal();
  const agent = new Agent({ name: 'A', model: scriptedModel(says('Done.')) });
  await run(agent, 'go', { journal, runId: 'run_1' });
  const entries = [...journal.read('run_1')];
  await resume('run_1', { journal, agents: agent });
  expect(journal.read('run_1')).toEqual(entries);
});
