/** O5: a record that does not fit what it is read by, or is not what was written, is found out; nothing is run, nothing is recorded. */
import { Agent, JournalDivergence, RunState, UserError, resume, run, stateFromJournal, tool } from 'loopchart';
import { calls, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { counted } from '../support/cast.ts';
import { brief, mortal, recorded } from '../support/mortal.ts';

type Entries = JournalEntry[];

/** Looks, hands off, and the expert pays; dies when `dies` is written. */
async function log(dies = 'transferred'): Promise<Entries> {
  const { agent } = desk(calls('look'), calls('transfer_to_Expert'), calls('pay'), says('Done.'));
  const process = mortal((entry) => ('id' in entry && entry.type === 'effect.done' && entry.id.includes(dies === 'transferred' ? 'handoff' : dies) ? 'after' : undefined));
  void run(agent, 'go', { journal: process.journal, runId: 'run_1', clock: virtualClock() });
  await process.dead;
  return process.left('run_1').read('run_1').slice();
}

/** The agents as one process has them. */
function desk(...steps: Parameters<typeof scriptedModel>) {
  const model = scriptedModel(...steps);
  const [look, pay] = [counted('look'), counted('pay')];
  const expert = new Agent({ name: 'Expert', model, tools: [pay.tool] });
  const agent = new Agent({ name: 'Desk', model, tools: [look.tool], handoffs: [expert] });
  return { agent, expert, model, look, pay, done: () => [model.requests.length, look.runs, pay.runs] };
}

const refused = (running: Promise<unknown>): Promise<Error> => running.then(() => { throw new Error('It was not refused.'); }, (error: Error) => error);

/** Resumes and expects a refusal that leaves everything as it was, and the run free for others. */
async function refusal(entries: Entries, agents: Agent<any, any> | Agent<any, any>[], done: () => number[]): Promise<Error> {
  const journal = recorded('run_1', entries);
  const before = brief(journal, 'run_1');
  const error = await refused(resume('run_1', { journal, agents, clock: virtualClock() }));
  expect([done(), brief(journal, 'run_1')]).toEqual([[0, 0, 0], before]);
  expect(journal.open('run_1').length).toBe(entries.length);
  return error;
}

test('O5: the record as it is goes on, in a process with the same agents', async () => {
  const { agent, done } = desk(calls('pay'), says('Done.'));
  const { finalOutput } = await resume('run_1', { journal: recorded('run_1', await log()), agents: agent, clock: virtualClock() });
  expect([finalOutput, done()]).toEqual(['Done.', [2, 0, 1]]);
});

const DIFFERENCES: Record<string, { change: (entries: Entries) => Entries; at: number; says: RegExp }> = {
  'a tool that asks a person now': { change: (entries) => withCall(entries, (call) => { call.tool.approval = 'always'; }), at: 2, says: /effect\.started of .*execute#1 is recorded, and it waits for .*approval#1/ },
  'a tool that is guarded now': { change: (entries) => withCall(entries, (call) => { call.tool.guardsInput = true; }), at: 2, says: /it waits for .*inputGuardrail#1/ },
  'a tool that is delegated now': { change: (entries) => withCall(entries, (call) => { call.tool.delegates = true; }), at: 2, says: /it waits for .*prepare#1/ },
  'a response without its handoff': { change: (entries) => withResponse(entries, 'turn.2/', (response) => { delete response.handoff; }), at: 5, says: /handoff/ },
  'an entry that is missing': { change: (entries) => entries.toSpliced(3, 1), at: 3, says: /it waits for .*execute#1/ },
  'its start missing': { change: (entries) => entries.slice(1), at: 0, says: /its start is missing/ },
  'two starts': { change: (entries) => entries.toSpliced(2, 0, entries[0]!), at: 2, says: /it starts twice/ },
  'something after its end': { change: (entries) => [...entries.slice(0, 2), { type: 'command', command: { type: 'interrupt', reason: 'user', at: 0 }, at: 0 }, { type: 'command', command: { type: 'softStop' }, at: 0 }], at: 3, says: /"command" is recorded, and the run is over by then/ },
  'a mark that does not hold': { change: (entries) => entries.with(3, { ...entries[3]!, mark: 'another' }), at: 3, says: /something else was waited for; now it waits for .*execute#1/ },
};

test.each(Object.entries(DIFFERENCES))('O5: %s is found at the entry that does not follow, and named', async (_what, { change, at, says: said }) => {
  const { agent, done } = desk();
  const entries = change(structuredClone(await log()));
  const error = await looked(entries, agent);
  expect(error).toBeInstanceOf(JournalDivergence);
  expect([error.name, (error as JournalDivergence).position, (error as JournalDivergence).runId]).toEqual(['JournalDivergence', at, 'run_1']);
  expect(error.message).toMatch(said);
  expect(done()).toEqual([0, 0, 0]);
});

/** Looking alone finds it out; so does going on. */
async function looked(entries: Entries, agent: Agent<any, any>): Promise<Error> {
  const journal = recorded('run_1', entries);
  const seen = await refused(stateFromJournal('run_1', { journal, agents: agent }).catch((error) => { throw error; }));
  expect(String(await refused(resume('run_1', { journal, agents: agent, clock: virtualClock() })))).toBe(String(seen));
  expect([journal.read('run_1').length, journal.open('run_1').length]).toEqual([entries.length, entries.length]);
  return seen;
}

test('O5: where charts have changed, the message says which', async () => {
  const entries = structuredClone(await log()).toSpliced(3, 1);
  const [start] = entries;
  if (start?.type === 'run.start') start.charts = { ...start.charts, turn: '0' };
  const error = await looked(entries, desk().agent);
  expect(error.message).toMatch(/\(chart turn was of version 0 and is of \d+\)\. Resume it with the version/);
});

test('O5: what was recorded twice counts once', async () => {
  const entries = await log();
  const twice = entries.flatMap((entry): Entries => (entry.type === 'effect.done' ? [entry, entry] : [entry]));
  const { agent, done } = desk(calls('pay'), says('Done.'));
  const { finalOutput, state } = await resume('run_1', { journal: recorded('run_1', twice), agents: agent, clock: virtualClock() });
  expect([finalOutput, done(), state.usage.requests]).toEqual(['Done.', [2, 0, 1], 4]);
});

test('O5: a record of a newer format is refused by its number', async () => {
  const entries = structuredClone(await log());
  const newer = entries.with(0, { ...(entries[0] as Extract<JournalEntry, { type: 'run.start' }>), format: 99 });
  const { agent, done } = desk();
  const error = await refusal(newer, agent, done);
  expect([error.name, error.message]).toEqual(['UserError', expect.stringContaining('format 99, this version reads up to')]);
});

test('O5: an agent of another name is refused with both names', async () => {
  const { expert, done } = desk();
  const error = await refusal(await log(), expert, done);
  expect([error.name, error.message]).toEqual(['UserError', expect.stringMatching(/belongs to agent "Desk", not to "Expert"/)]);
});

test('O5: the agent that was handed off to, and is gone, is named', async () => {
  const { done, model, look } = desk();
  const error = await refusal(await log(), new Agent({ name: 'Desk', model, tools: [look.tool] }), done);
  expect([error.name, error.message]).toEqual(['UserError', expect.stringContaining('"Expert"')]);
});

test('O5: an agent that the first one does not lead to any more may be given beside it', async () => {
  const { expert, model, look, done } = desk(calls('pay'), says('Done.'));
  const first = new Agent({ name: 'Desk', model, tools: [look.tool] });
  const { finalOutput } = await resume('run_1', { journal: recorded('run_1', await log()), agents: [expert, first], clock: virtualClock() });
  expect([finalOutput, done()]).toEqual(['Done.', [2, 0, 1]]);
});

test('O5: a tool that a call needs next, and that is gone, is named before anything is recorded', async () => {
  const { model, expert, done } = desk();
  const error = await refusal((await log()).slice(0, 2), new Agent({ name: 'Desk', model, handoffs: [expert] }), done);
  expect([error.name, error.message]).toEqual(['UserError', expect.stringMatching(/run_1 cannot go on: .*"look"/)]);
});

test('O5: an agent tool that a nested run needs, and that is gone, is named', async () => {
  const model = scriptedModel(calls('Clerk', { input: 'x' }), calls('look'));
  const clerk = new Agent({ name: 'Clerk', model, tools: [counted('look').tool] });
  const process = mortal((entry) => (entry.type === 'effect.started' ? 'before' : undefined));
  void run(new Agent({ name: 'Desk', model, tools: [clerk.asTool({})] }), 'go', { journal: process.journal, runId: 'run_1', clock: virtualClock() });
  await process.dead;
  const { done } = desk();
  const error = await refusal(process.left('run_1').read('run_1').slice(), new Agent({ name: 'Desk', model }), done);
  expect([error.name, error.message]).toEqual(['UserError', expect.stringContaining('"Clerk"')]);
});

test('O5: a decision about a call whose tool is gone is kept until the tool is back', async () => {
  const build = (...tools: ReturnType<typeof counted>['tool'][]) => new Agent({ name: 'Desk', model: scriptedModel(calls('pay'), says('Done.')), tools });
  const pay = counted('pay', 'paid', { needsApproval: true });
  const { state } = await run(build(pay.tool), 'go', { clock: virtualClock() });
  state.approve(state.getInterruptions()[0]!);
  const poor = build();
  const error = await refused(run(poor, await RunState.fromString<undefined, typeof poor>(poor, state.toString()), { clock: virtualClock() }));
  expect([error, error.message, pay.runs]).toEqual([expect.any(UserError), expect.stringContaining('"pay"'), 0]);
});

test('O5: there is no such run', async () => {
  const { agent } = desk();
  const error = await refused(resume('run_2', { journal: recorded('run_1', await log()), agents: agent }));
  expect([error.name, error.message]).toEqual(['UserError', expect.stringContaining('There is no run run_2')]);
});

test('O5: a tool whose parameters have changed reads the recorded arguments anew: the model is told when they do not fit', async () => {
  const entries = (await log()).slice(0, 2);
  const model = scriptedModel(says('I see.'));
  const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({ where: z.string() }), execute: () => 'seen' });
  const { finalOutput, newItems } = await resume('run_1', { journal: recorded('run_1', entries), agents: new Agent({ name: 'Desk', model, tools: [look] }), clock: virtualClock() });
  expect([finalOutput, newItems.map(({ type }) => type)]).toEqual(['I see.', ['tool_call_item', 'tool_call_output_item', 'message_output_item']]);
});

type Response = { calls: { tool: Record<string, unknown> }[]; handoff?: unknown };

function withResponse(entries: Entries, turn: string, change: (response: Response) => void): Entries {
  for (const entry of entries) if (entry.type === 'effect.done' && entry.id.includes(`${turn}model#`) && entry.outcome.status === 'ok') change(entry.outcome.value as Response);
  return entries;
}
const withCall = (entries: Entries, change: (call: Response['calls'][number]) => void) => withResponse(entries, 'turn.1/', ({ calls: [call] }) => call && change(call));
