import { expect, test } from 'vitest';
import { JournalDivergence } from '../../actors/journal.ts';
import { RecordCheck } from '../../actors/recordCheck.ts';
import { CHART_VERSIONS } from '../../machines/versions.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';

const start: JournalEntry = { type: 'run.start', format: 1, runId: 'run_1', charts: CHART_VERSIONS, input: { path: 'run_1', agent: 'A' }, at: 0 };
const done = (id: string): JournalEntry => ({ type: 'effect.done', id, outcome: { status: 'ok', value: null }, at: 0 });

/** A check that has seen the start, of a run that waits for these. */
function checkOf(...open: string[]) {
  const ids = open.map((id) => `run_1/${id}`);
  const check = new RecordCheck('run_1', { ids, has: (id) => ids.includes(id) });
  check.admits(start, 0, LIVE, () => 'mark');
  return check;
}
const LIVE = { crash: null, outcome: null };
const OVER = { crash: null, outcome: { status: 'completed' } };
const mark = () => 'mark';

test('O5: an effect that is waited for is admitted once, and what is recorded of it again is not', () => {
  const ids = ['run_1/a#1'];
  const check = new RecordCheck('run_1', { ids, has: (id) => ids.includes(id) });
  check.admits(start, 0, LIVE, mark);
  expect(check.admits(done('run_1/a#1'), 1, LIVE, mark)).toBe(true);
  ids.pop();
  expect(check.admits(done('run_1/a#1'), 2, LIVE, mark)).toBe(false);
  expect(check.admits(done('run_1/a#1'), 3, OVER, mark)).toBe(false);
});

test('O5: what comes late, and where it came to rest, may follow the end; nothing else may', () => {
  const check = checkOf();
  expect(check.admits({ type: 'effect.late', id: 'run_1/a#1', outcome: { status: 'ok', value: null }, at: 0 }, 1, OVER, mark)).toBe(true);
  expect(check.admits({ type: 'run.rest', state: 'settled', status: 'completed', mark: 'mark', at: 0 }, 2, OVER, mark)).toBe(true);
  expect(() => check.admits({ type: 'command', command: { type: 'softStop' }, at: 0 }, 3, OVER, mark)).toThrow('"command" is recorded, and the run is over by then');
});

test('O5: a mark that does not hold is a divergence, at rest too', () => {
  expect(() => checkOf('a#1').admits({ type: 'run.rest', state: 'awaitingApproval', mark: 'another', at: 0 }, 1, LIVE, mark)).toThrow(JournalDivergence);
});

test('O5: a run that breaks on replay, where it did not, says how', () => {
  expect(() => checkOf('a#1').admits(done('run_1/a#1'), 1, { crash: { error: new Error('bug') }, outcome: null }, mark)).toThrow('from entry 1 on: it breaks: bug');
});

test('O5: it says what is waited for instead, in few words', () => {
  expect(() => checkOf('a#1', 'b#1').admits(done('run_1/c#1'), 1, LIVE, mark)).toThrow('effect.done of run_1/c#1 is recorded, and it waits for a#1, b#1');
  expect(() => checkOf().admits(done('run_1/c#1'), 1, LIVE, mark)).toThrow('and it waits for nothing');
});
