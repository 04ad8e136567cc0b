/** O1: what a run that is gone on with from its journal once forgot. Each of these went wrong when it was first killed. */
import { Agent, MemoryJournal, MemorySession, OutputGuardrailTripwireTriggered, RunState, ToolTimeoutError, resume, run, stateFromJournal, tool } from 'loopchart';
import { calls, fails, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, refund } from '../scenarios/support/cast.ts';

const thrownBy = async (running: Promise<unknown>) => running.then(() => { throw new Error('It did not fail.'); }, (error: Error & { state: RunState<any, any> }) => error);

test('A8, D2: a run that went on from another keeps, in its journal, what that one had cost and what was decided for always', async () => {
  const journal = new MemoryJournal();
  const model = scriptedModel(calls('refund', { order: 1 }), fails(), calls('refund', { order: 2 }), says('Done.'));
  const agent = new Agent({ name: 'Desk', model, tools: [refund] });
  const { state } = await run(agent, 'go', { journal, runId: 'run_a' });
  state.approve(state.getInterruptions()[0]!, { alwaysApprove: true });
  const { state: failed } = await thrownBy(run(agent, state, { journal }));
  const { finalOutput, state: done } = await run(agent, failed, { journal, runId: 'run_b' });
  expect([finalOutput, done.usage.requests]).toEqual(['Done.', 3]);
  const { usage, runContext } = await stateFromJournal('run_b', { journal, agents: agent });
  expect(usage).toEqual(done.usage);
  expect(runContext.decisions).toEqual(done.runContext.decisions);
});

test('E3: what output guardrails said, and the error of one that tripped, come back from the journal', async () => {
  const journal = new MemoryJournal();
  const outputGuardrails = [{ name: 'polite', execute: async () => ({ tripwireTriggered: true, outputInfo: 'rude' }) }];
  const agent = new Agent({ name: 'Desk', model: scriptedModel(says('Go away.')), outputGuardrails });
  const first = await thrownBy(run(agent, 'go', { journal, runId: 'run_a' }));
  const again = await thrownBy(resume('run_a', { journal, agents: agent }));
  expect(again).toBeInstanceOf(OutputGuardrailTripwireTriggered);
  expect(again.message).toBe(first.message);
  const verdicts = [{ guardrail: { type: 'output', name: 'polite' }, agent, agentOutput: 'Go away.', output: { tripwireTriggered: true, outputInfo: 'rude' } }];
  expect(first.state.look().outputGuardrailResults).toEqual(verdicts);
  expect(again.state.look().outputGuardrailResults).toEqual(verdicts);
});

test('A8, G4: what a compaction has cost is counted from the journal, and is not counted twice', async () => {
  class Compacting extends MemorySession {
    runCompaction = async () => ({ usage: { inputTokens: 100, outputTokens: 20, totalTokens: 120 } });
  }
  const journal = new MemoryJournal();
  const agent = new Agent({ name: 'Desk', model: scriptedModel(says('Hello.')) });
  const { state } = await run(agent, 'go', { journal, runId: 'run_a', session: new Compacting() });
  const again = await stateFromJournal('run_a', { journal, agents: agent });
  expect([state.usage.totalTokens, again.usage.totalTokens]).toEqual([135, 135]);
});

test('C2: a timeout that ended the run is of its own class in another process too', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const slow = tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), timeoutMs: 50, timeoutBehavior: 'raise_exception', execute: () => new Promise(() => undefined) });
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('slow')), tools: [slow] });
  const first = thrownBy(run(agent, 'go', { journal, runId: 'run_a', clock }));
  await clock.runAll();
  const again = await thrownBy(resume('run_a', { journal, agents: agent }));
  expect(again).toBeInstanceOf(ToolTimeoutError);
  expect(again.message).toBe((await first).message);
});

test('C5, O3: a result that a person supplied counts as the result of that call: the same call is not carried out again', async () => {
  const journal = new MemoryJournal();
  const pay = counted('pay', 'paid');
  const same = { callId: 'same' };
  const model = scriptedModel(calls(['pay', {}, same]), calls(['pay', {}, same]), says('Done.'));
  const agent = new Agent({ name: 'Desk', model, tools: [pay.tool] });
  await run(agent, 'go', { journal, runId: 'run_a' });
  const killed = await deadAfter(journal, 'effect.started');
  const { state } = await resume('run_a', { journal: killed, agents: agent });
  state.useResult(state.getInterruptions()[0]!, 'paid by hand');
  const { finalOutput, history } = await run(agent.clone({ model: scriptedModel(calls(['pay', {}, same]), says('Done.')) }), state);
  expect([finalOutput, pay.runs]).toEqual(['Done.', 1]);
  expect(history.filter((item) => item.type === 'function_call_result').map(({ output }) => output)).toEqual([{ type: 'text', text: 'paid by hand' }, { type: 'text', text: 'paid by hand' }]);
});

test('J3, O1: a run that is resumed when it has been told to stop begins nothing before it hears of it, whatever else it is told', async () => {
  const journal = new MemoryJournal();
  const pay = counted('pay', 'paid');
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('pay'), says('Done.')), tools: [pay.tool] });
  await run(agent, 'go', { journal, runId: 'run_a' });
  const killed = await deadAfter(journal, 'effect.done');
  const append = killed.append.bind(killed);
  killed.append = (async (...given: Parameters<typeof append>) => append(...given)) as never; // a journal that answers later
  const told = await thrownBy(resume('run_a', { journal: killed, agents: agent, maxTurns: 5, signal: AbortSignal.abort() }));
  expect([told.name, pay.runs]).toEqual(['AbortError', 1]);
  expect(killed.read('run_a').slice(2).map((entry) => (entry.type === 'command' ? entry.command.type : entry.type))).toEqual(['configure', 'interrupt', 'run.rest']);
});

test('O8, G1: a save that a process had not begun when it died stores what is to be stored, though the session ends with the same', async () => {
  const journal = new MemoryJournal();
  const [user] = [{ type: 'message', role: 'user', content: 'go' }] as const;
  const agent = () => new Agent({ name: 'Desk', model: scriptedModel(says('Hello.')) });
  await run(agent(), 'go', { journal, runId: 'run_a', session: new MemorySession({ initialItems: [user] }) });
  const killed = await deadAfter(journal, 'effect.done', 2);
  const session = new MemorySession({ initialItems: [user] });
  await resume('run_a', { journal: killed, agents: agent(), session });
  expect((await session.getItems()).map((item) => 'role' in item && item.role)).toEqual(['user', 'user', 'assistant']);
});

test('O5: without an agent tool that the run has used, the run is refused by a UserError that names it', async () => {
  const journal = new MemoryJournal();
  const inner = new Agent({ name: 'Inner', model: scriptedModel(says('Inside.')) });
  const model = scriptedModel(calls('Inner', { input: 'hi' }), says('Done.'));
  await run(new Agent({ name: 'Outer', model, tools: [inner.asTool({})] }), 'go', { journal, runId: 'run_a' });
  const error = await thrownBy(stateFromJournal('run_a', { journal, agents: new Agent({ name: 'Outer', model }) }));
  expect([error.name, error.message]).toEqual(['UserError', expect.stringContaining('"Inner"')]);
});

/** The journal as it was when a process died right after it had written the nth entry of this type. */
async function deadAfter(journal: MemoryJournal, type: string, nth = 1): Promise<MemoryJournal> {
  const entries = journal.read('run_a');
  const place = [...entries.keys()].filter((at) => entries[at]!.type === type)[nth - 1]!;
  const killed = new MemoryJournal();
  const { epoch } = killed.open('run_a');
  killed.append('run_a', { epoch, position: 0 }, entries.slice(0, place + 1));
  killed.release('run_a', epoch);
  return killed;
}
