/** D6, H3, K5: a process that died after any entry of its log, and another one that goes on from there. */
import { Agent, type JournalEntry, MemoryJournal, type Model, Usage, run, stateFromJournal, tool } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';

const RUN = 'run_died';

/** Answers by what it is shown, so that any process may ask it; counts how often it is asked. */
function stateless(): { model: Model; asked: () => number } {
  let asked = 0;
  const model: Model = {
    getResponse: async ({ input }) => {
      asked += 1;
      const results = (input as { type?: string }[]).filter(({ type }) => type === 'function_call_result').length;
      const call = (name: string, nth: number) => ({ type: 'function_call' as const, callId: `call_${nth}`, name, arguments: '{}', status: 'completed' as const });
      const text = { type: 'message' as const, role: 'assistant' as const, status: 'completed' as const, content: [{ type: 'output_text' as const, text: 'Done.' }] };
      return { usage: new Usage(), output: results === 0 ? [call('look', 1), call('pay', 2)] : [text], responseId: `resp_${results}` };
    },
    getStreamedResponse: () => { throw new Error('Nothing streams here.'); },
  };
  return { model, asked: () => asked };
}

/** A process: its own agent, its own world; `paid` is what it did to the world. */
function birth() {
  const { model, asked } = stateless();
  let paid = 0;
  const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({}), effect: 'pure', execute: () => 'seen' });
  const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, execute: () => `paid ${(paid += 1)}` });
  const agent = new Agent({ name: 'Desk', model, tools: [look, pay] });
  const clock = virtualClock();
  return { agent, asked, paid: () => paid, options: { clock } };
}

/** The log of a whole run, approved on the way. */
async function wholeLog(): Promise<{ entries: readonly JournalEntry[]; approvedAt: number }> {
  const { agent, options } = birth();
  const { state } = await run(agent, 'go', { ...options, runId: RUN });
  const approvedAt = state.source.entries.length;
  state.approve(state.getInterruptions()[0]!);
  await run(agent, state, options);
  return { entries: state.source.entries, approvedAt };
}

/** The journal of a process that died. */
function leftBehind(entries: readonly JournalEntry[]): MemoryJournal {
  const journal = new MemoryJournal();
  journal.append(RUN, { epoch: journal.open(RUN).epoch, position: 0 }, JSON.parse(JSON.stringify(entries)));
  journal.close();
  return journal;
}

test('D6: wherever the first process died, the second pays only what was approved, at most once, and asks about what may have been paid', async () => {
  const { entries, approvedAt } = await wholeLog();
  const types = entries.map(({ type }) => type);
  expect(types).toEqual(['run.start', 'effect.done', 'effect.done', 'run.rest', 'decide', 'effect.started', 'effect.done', 'effect.done', 'run.rest']);
  const fates: unknown[] = [];
  for (let died = 1; died <= types.length; died += 1) {
    const { agent, asked, paid, options } = birth();
    const state = await stateFromJournal(RUN, { journal: leftBehind(entries.slice(0, died)), agents: agent });
    const before = { asked: asked(), paid: paid() };
    expect(before, 'H3: looking at a state does nothing').toEqual({ asked: 0, paid: 0 });
    const fate = await run(agent, state, options).then(({ finalOutput, interruptions }) => finalOutput ?? interruptions.map(({ uncertain }) => (uncertain ? 'uncertain' : 'waits')).join(), (error: Error) => error.name);
    fates.push([types[died - 1], fate, `asked ${asked()}`, `paid ${paid()}`]);
    if (died <= approvedAt) expect(paid()).toBe(0);
  }
  expect(fates).toEqual([
    ['run.start', 'waits', 'asked 1', 'paid 0'],
    ['effect.done', 'waits', 'asked 0', 'paid 0'],
    ['effect.done', 'waits', 'asked 0', 'paid 0'],
    ['run.rest', 'waits', 'asked 0', 'paid 0'],
    ['decide', 'Done.', 'asked 1', 'paid 1'],
    ['effect.started', 'uncertain', 'asked 0', 'paid 0'],
    ['effect.done', 'Done.', 'asked 1', 'paid 0'],
    ['effect.done', 'Done.', 'asked 0', 'paid 0'],
    ['run.rest', 'Done.', 'asked 0', 'paid 0'],
  ]);
});
