import { expect, test } from 'vitest';
import { Agent, RunToolApprovalItem, type RunSummary } from 'loopchart';
import { entryText } from '../../../adapters/cli/journal/entryText.ts';
import { openJournal, quoted } from '../../../adapters/cli/journal/place.ts';
import { runTable } from '../../../adapters/cli/journal/runTable.ts';
import { shortIds } from '../../../adapters/cli/journal/shortIds.ts';
import { ago, instantIn } from '../../../adapters/cli/journal/times.ts';
import { askAboutUncertain, resolutionIn } from '../../../adapters/cli/terminal/uncertain.ts';
import { widthOf } from '../../../adapters/cli/terminal/width.ts';

const NOW = new Date(2026, 4, 20, 12).getTime();
const run = (more: Partial<RunSummary>): RunSummary => ({ runId: 'run_0123456789abcdef', agent: 'Support', state: 'running', length: 7, startedAt: NOW - 90_000, updatedAt: NOW, ...more });

test('ids are as short as tells them apart, and long enough to be recognized', () => {
  expect([...shortIds(['run_aaaaaaaa-1', 'run_bbbbbbbb-1', 'run_bbbbbbbb-2', 'run_bbbbbbbb-22', 'mine']).values()].sort()).toEqual(['mine', 'run_aaaaaaaa', 'run_bbbbbbbb-1', 'run_bbbbbbbb-2', 'run_bbbbbbbb-22']);
});

test('no row is wider than the terminal: cells are cut first, then columns left out', () => {
  const runs = [run({ threadId: '日本語の長い会話の名前', status: 'completed', state: 'settled' }), run({ runId: 'run_fedcba', agent: 'An agent with a name\nof two lines', state: 'awaitingApproval' })];
  for (const columns of [40, 50, 60, 80, 100, 200]) {
    const rows = runTable(runs, { columns, ids: runs.map(({ runId }) => runId), now: NOW });
    expect([rows.length, Math.max(...rows.map(widthOf)) < columns]).toEqual([3, true]);
  }
  expect(runTable([run({})], { columns: 120, ids: [], now: NOW })).toEqual(['RUN                   THREAD  AGENT    STATE    ENTRIES  BEGUN      WRITTEN', 'run_0123456789abcdef  -       Support  running        7  1 min ago  just now']);
});

test('times are told by their distance, as long as that says more', () => {
  const told = [0, 30_000, 90_000, 5 * 3_600_000, 50 * 3_600_000, 20 * 86_400_000].map((passed) => ago(NOW - passed, NOW));
  expect(told).toEqual(['just now', '30 s ago', '1 min ago', '5 h ago', '2 d ago', '2026-04-30']);
});

test('an age or a date is an instant; what lies ahead, or is no date, is refused', () => {
  expect(['30d', '12h', '5m', '90min', '0s'].map((given) => NOW - instantIn(given, NOW))).toEqual([30 * 86_400_000, 12 * 3_600_000, 300_000, 90 * 60_000, 0]);
  expect([instantIn('2026-05-01', NOW), instantIn('2026-05-01T00:00:00Z', NOW)]).toEqual([new Date(2026, 4, 1).getTime(), Date.UTC(2026, 4, 1)]);
  for (const given of ['2026-02-30', '2026-13-01', '-3d', '3', 'yesterday', '', '30d ago', '2027-01-01']) expect(() => instantIn(given, NOW)).toThrow(/is no time|lies ahead/);
});

test('words of a command are quoted where a shell would take them apart', () => {
  expect(['./runs', 'my runs', "it's", '$HOME', ''].map(quoted)).toEqual(['./runs', "'my runs'", "'it'\\''s'", "'$HOME'", "''"]);
});

test('an address that cannot be read does not tell its password', async () => {
  const refused = await openJournal('postgres://app:s3cret@[bad/app', 'read', {}).catch((error: Error) => error);
  expect(String(refused)).toMatch(/cannot be read/);
  expect(String(refused)).not.toContain('s3cret');
});

const item = new RunToolApprovalItem({ type: 'function_call', callId: 'c', name: 'pay', arguments: '{"amount":5}', status: 'completed' }, new Agent({ name: 'Billing' }), undefined, { uncertain: true });

test('O3: of a call that may have had its effect, only clear answers decide, and yes is none', () => {
  expect(['r', ' Run again ', 't: paid by hand', 'this is the result paid', 'f', 'failed: declined'].map(resolutionIn)).toEqual([
    { decision: 'approve' }, { decision: 'approve' },
    { decision: 'useResult', output: 'paid by hand' }, { decision: 'useResult', output: 'paid' },
    { decision: 'reject', message: 'A person has looked: this call failed.' }, { decision: 'reject', message: 'declined' },
  ]);
  expect(['', 'y', 'yes', 'a', 'all', 'n', 'rerun', 't', 'fine', 'true'].map(resolutionIn)).toEqual(Array(10).fill(undefined));
});

test('a result may be given on a line of its own; leaving it empty goes back', async () => {
  const answers = ['t', '', 't', ' paid '];
  const prompts: string[] = [];
  const verdict = await askAboutUncertain(item, { tell: () => undefined, ask: async ({ text }) => (prompts.push(text), answers.shift()) });
  expect(verdict).toEqual({ decision: 'useResult', output: 'paid' });
  expect(prompts.length).toBe(4);
});

test('Ctrl-C says nothing of the call', async () => {
  expect(await askAboutUncertain(item, { tell: () => undefined, ask: async () => undefined })).toEqual({ decision: 'cancel' });
});

test('entries of every kind have words', () => {
  const id = 'run_1/agent.1/turn.1/toolCall.1.0/execute#1';
  const failure = { code: 'model', message: 'out of order', effectId: id } as const;
  expect([
    entryText({ type: 'command', command: { type: 'interrupt', reason: 'user', at: 1 }, at: 1 }),
    entryText({ type: 'decide', id, decision: { decision: 'approve', always: true, arguments: '{}' }, at: 1 }),
    entryText({ type: 'decide', id, decision: { decision: 'reject', message: 'no' }, at: 1 }),
    entryText({ type: 'decide', id, decision: { decision: 'useResult', output: 'paid' }, at: 1 }),
    entryText({ type: 'effect.done', id, outcome: { status: 'error', failure }, at: 1 }),
    entryText({ type: 'effect.lost', id, at: 1 }),
    entryText({ type: 'effect.late', id, outcome: { status: 'ok', value: 5 }, at: 1 }),
    entryText({ type: 'run.rest', state: 'settled', status: 'failed', mark: 'm', at: 1 }),
    entryText({ type: 'run.rest', state: 'interrupted', status: 'interrupted', mark: 'm', at: 1 }),
  ]).toEqual([
    'interrupt (user)', 'approved for always as {}', 'rejected: no', 'brought, as a person says: paid', 'failed (model): out of order',
    'it had begun, and nobody knows whether it had its effect', 'after it was left behind: 5', 'settled, failed', 'interrupted',
  ]);
});
