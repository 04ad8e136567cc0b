/** What simulated worlds have found, as small as it can be told. */
import { Agent, MemoryJournal, MemorySession, resume, run, tool } from 'loopchart';
import { calls, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { problemsOf } from '../scenarios/support/invariants.ts';
import type { AgentInputItem } from 'loopchart';

test('G3: interrupted while calls beside a handoff are at work, the call that hands off has a result too', async () => {
  const clock = virtualClock();
  const slow = tool({ name: 'slow', description: 'Never ends.', parameters: z.object({}), effect: 'pure', execute: () => new Promise(() => undefined) });
  const model = scriptedModel(calls(['slow', {}], ['transfer_to_B', {}]), says('Once more.'));
  const agent = new Agent({ name: 'A', model, tools: [slow], handoffs: [new Agent({ name: 'B', model })] });
  const interrupt = new AbortController();
  const running = run(agent, 'go', { clock, signal: interrupt.signal }).catch((error: { state: never }) => error);
  await clock.settle();
  interrupt.abort();
  await clock.runAll();
  const { finalOutput } = await run(agent, (await running).state, { clock });
  expect([finalOutput, model.requests.map(({ input }) => problemsOf(input as AgentInputItem[]))]).toEqual(['Once more.', [[], []]]);
});

test('O1, E1: an input guardrail sees the input as the app gave it, also when it looks again in another process', async () => {
  const seen: unknown[] = [];
  const inputGuardrails = [{ name: 'look', runInParallel: false, execute: async ({ input }: { input: unknown }) => ({ tripwireTriggered: false, outputInfo: seen.push(input) }) }];
  const agent = new Agent({ name: 'A', model: scriptedModel(says('Hello.')), inputGuardrails });
  const journal = new MemoryJournal();
  const { input } = await run(agent, 'go', { journal, runId: 'run_a' });
  const killed = new MemoryJournal();
  const { epoch } = killed.open('run_a');
  killed.append('run_a', { epoch, position: 0 }, journal.read('run_a').slice(0, 1));
  killed.release('run_a', epoch);
  const again = await resume('run_a', { journal: killed, agents: agent.clone({ model: scriptedModel(says('Hello.')) }) });
  expect([seen, input, again.input]).toEqual([['go', 'go'], 'go', 'go']);
});

test('G1, K5: a turn that fails again and again is stored once', async () => {
  const session = new MemorySession();
  let attempts = 0;
  const strict = tool({ name: 'strict', description: 'Works the third time.', parameters: z.object({}), errorFunction: null, execute: () => {
    attempts += 1;
    if (attempts < 3) throw new Error('Not yet.');
    return 'done';
  } });
  const quick = tool({ name: 'quick', description: 'Works.', parameters: z.object({}), execute: () => 'quick' });
  const agent = new Agent({ name: 'A', model: scriptedModel(calls(['quick', {}], ['strict', {}]), says('Done.')), tools: [quick, strict] });
  const failed = await run(agent, 'go', { session }).catch((error: { state: never }) => error);
  const again = await run(agent, failed.state, { session }).catch((error: { state: never }) => error);
  const { finalOutput } = await run(agent, again.state, { session });
  expect([finalOutput, (await session.getItems()).map((item) => ('callId' in item ? `${item.type} ${String(item.callId)}` : 'role' in item && item.role))]).toEqual([
    'Done.',
    ['user', 'function_call call_1', 'function_call call_2', 'function_call_result call_1', 'function_call_result call_2', 'assistant'],
  ]);
});

test('O4: who stood still before the first entry of a run is not taken for the next one that claims it', async () => {
  const journal = new MemoryJournal();
  const frozen = journal.open('run_a');
  journal.release('run_a', frozen.epoch);
  const next = journal.open('run_a');
  expect(next.epoch).toBeGreaterThan(frozen.epoch);
  const entry = { type: 'effect.lost', id: 'run_a/x', at: 0 } as const;
  expect(() => journal.append('run_a', { epoch: frozen.epoch, position: 0 }, [entry])).toThrow('is over');
});
