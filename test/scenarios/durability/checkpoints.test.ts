/** A checkpoint stands for the entries before it, and for nothing else: with and without it a run is the same. */
import { Agent, type Journal, type JournalEntry, MemoryJournal, MemorySession, type RunState, run, stateFromJournal, tool } from 'loopchart';
import { calls, repeat, responds, said, says, scriptedModel, user, type Step } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { add, counted, refund } from '../support/cast.ts';

const RUN = 'run_kept';
const ask = (order: number) => calls('refund', { order }, { callId: `ask_${order}` });

/** Runs that come to rest, each in its way; what the model says after that is the second list. */
const RUNS: Record<string, { agent(...steps: Step[]): Agent; before: Step[]; after: Step[] }> = {
  'a call that waits, after others': {
    agent: (...steps) => new Agent({ name: 'A', model: scriptedModel(...steps), tools: [add, refund] }),
    before: [calls('add', { a: 1, b: 2 }), responds(calls('add', { a: 3, b: 4 }), ask(1), ask(2))],
    after: [ask(3), says('Done.')],
  },
  'a call that waits after a handoff': {
    agent: (...steps) => {
      const model = scriptedModel(...steps);
      return new Agent({ name: 'Desk', model, handoffs: [new Agent({ name: 'Billing', model, tools: [refund] })] });
    },
    before: [calls('transfer_to_Billing'), ask(1)],
    after: [says('Billed.')],
  },
  'a call that waits inside of an agent that is a tool, and one beside it': {
    agent: (...steps) => {
      const model = scriptedModel(...steps);
      const clerk = new Agent({ name: 'Clerk', model, tools: [add, refund] });
      return new Agent({ name: 'Boss', model, tools: [clerk.asTool({ toolName: 'clerk', toolDescription: 'Pays.' }), counted('look', 'seen').tool] });
    },
    before: [responds(calls('look'), calls('clerk', { input: 'pay' })), calls('add', { a: 1, b: 1 }), ask(7)],
    after: [says('Paid.'), says('The clerk has paid.')],
  },
  'an approval for always': {
    agent: (...steps) => new Agent({ name: 'A', model: scriptedModel(...steps), tools: [refund, { ...refund, name: 'letter' }] }),
    before: [ask(1), calls('letter', { order: 1 }, { callId: 'letter_1' })],
    after: [ask(2), says('Both.')],
  },
  'guardrails of tools and a final answer': {
    agent: (...steps) => {
      const guarded = { ...add, inputGuardrails: [{ type: 'tool_input' as const, name: 'small', run: async () => ({ behavior: { type: 'allow' as const }, outputInfo: 'small' }) }] };
      return new Agent({ name: 'A', model: scriptedModel(...steps), tools: [guarded] });
    },
    before: [calls('add', { a: 1, b: 2 }), says('It is 3.')],
    after: [],
  },
};

interface Kept { journal: MemoryJournal; text: string | undefined }

/** The run at rest, with a checkpoint; where it waits twice, the first is approved for always. */
async function atRest({ agent, before }: (typeof RUNS)[string]): Promise<Kept> {
  const journal = new MemoryJournal();
  const options = { journal, runId: RUN, checkpointEvery: 1 };
  let result = await run(agent(...before), 'go', options);
  if (before.length === 2 && result.interruptions[0]?.name === 'refund' && before.every((step) => JSON.stringify(step).includes('order'))) {
    result.state.approve(result.interruptions[0], { alwaysApprove: true });
    result = await run(agent(before[1]!), result.state, options);
  }
  return { journal, text: journal.readCheckpoint(RUN) };
}

const without = (journal: MemoryJournal): Journal => Object.assign(Object.create(journal) as MemoryJournal, bound(journal), { readCheckpoint: () => undefined });
const bound = (journal: MemoryJournal) => ({ read: journal.read.bind(journal), open: journal.open.bind(journal), append: journal.append.bind(journal), release: journal.release.bind(journal) });

const seen = (state: RunState<any, any>) => {
  const { newItems, history, rawResponses, toolInputGuardrailResults, toolOutputGuardrailResults, finalOutput, output, input } = state.look();
  const { decisions, usage } = state.runContext;
  const waiting = state.getInterruptions().map(({ id, name, arguments: given }) => ({ id, name, given }));
  return JSON.parse(JSON.stringify({ newItems, history, rawResponses, toolInputGuardrailResults, toolOutputGuardrailResults, finalOutput, output, input, decisions, usage, waiting, agent: state.currentAgent.name })) as object;
};

async function goneOn(state: RunState<any, any>, agent: Agent, journal: Journal): Promise<{ view: object; entries: readonly JournalEntry[] }> {
  for (const call of state.getInterruptions()) state.approve(call);
  const result = await run(agent, state, { journal, clock: { now: () => 0, setTimeout, clearTimeout: () => undefined } });
  for (const call of result.interruptions) result.state.approve(call);
  await run(agent, result.state, { journal, clock: { now: () => 0, setTimeout, clearTimeout: () => undefined } });
  return { view: seen(result.state), entries: await journal.read(RUN) };
}

const copyOf = ({ journal, text }: Kept): MemoryJournal => {
  const copy = new MemoryJournal();
  const { epoch } = copy.open(RUN);
  copy.append(RUN, { epoch, position: 0 }, JSON.parse(JSON.stringify(journal.read(RUN))) as JournalEntry[]);
  if (text !== undefined) copy.keepCheckpoint(RUN, { epoch, position: 0 }, text);
  copy.release(RUN, epoch);
  return copy;
};

for (const [name, script] of Object.entries(RUNS)) {
  test(`O1: opened from a checkpoint a run is the same, and goes on the same: ${name}`, async () => {
    const kept = await atRest(script);
    expect(kept.text).toBeDefined();
    const [one, other] = [copyOf(kept), without(copyOf(kept))];
    const states = [await stateFromJournal(RUN, { journal: one, agents: script.agent(...script.after) }), await stateFromJournal(RUN, { journal: other, agents: script.agent(...script.after) })] as const;
    expect(seen(states[0])).toEqual(seen(states[1]));
    const went = [await goneOn(states[0], script.agent(...script.after), one), await goneOn(states[1], script.agent(...script.after), other)] as const;
    expect(went[0]).toEqual(went[1]);
  });
}

test('O8: what a run knows of its session stands in its checkpoint', async () => {
  const script = RUNS['a call that waits, after others']!;
  const journal = new MemoryJournal();
  const session = new MemorySession({ initialItems: [user('Before.'), said('Long before.')] });
  await run(script.agent(...script.before), 'go', { journal, session, runId: RUN, checkpointEvery: 1 });
  const kept = { journal, text: journal.readCheckpoint(RUN) };
  const lengths = await Promise.all([copyOf(kept), without(copyOf(kept))].map(async (from) => (await stateFromJournal(RUN, { journal: from, agents: script.agent() })).source.scope.sessionLength));
  expect(kept.text).toBeDefined();
  expect(lengths).toEqual([5, 5]);
});

test('O5: a checkpoint that was changed, is of other charts or of another rest is not used, and nothing is lost', async () => {
  const script = RUNS['a call that waits, after others']!;
  const kept = await atRest(script);
  const { text } = kept as { text: string };
  const wrong = [text.replace('refund', 'refunt'), text.slice(0, -9), '', '["0",{}]', 'null'];
  const whole = seen(await stateFromJournal(RUN, { journal: without(copyOf(kept)), agents: script.agent() }));
  for (const one of wrong) expect(seen(await stateFromJournal(RUN, { journal: copyOf({ ...kept, text: one }), agents: script.agent() })), one.slice(0, 40)).toEqual(whole);
});

test('a checkpoint is kept when enough has been written since the last, and not before', async () => {
  const journal = new MemoryJournal();
  const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({}), effect: 'pure', execute: () => 'seen' });
  const agent = new Agent({ name: 'A', model: scriptedModel(repeat(20, calls('look')), ask(1), says('Done.')), tools: [look, refund] });
  const waiting = await run(agent, 'go', { journal, runId: RUN, maxTurns: null, checkpointEvery: 40 });
  const first = journal.readCheckpoint(RUN);
  waiting.state.approve(waiting.interruptions[0]!);
  await run(agent, waiting.state, { journal, checkpointEvery: 40 });
  expect([first !== undefined, journal.readCheckpoint(RUN) === first]).toEqual([true, true]);
  const few = new MemoryJournal();
  await run(new Agent({ name: 'A', model: scriptedModel(says('Hi.')) }), 'go', { journal: few, runId: RUN });
  expect(few.readCheckpoint(RUN)).toBeUndefined();
});
