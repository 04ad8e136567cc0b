/** K2, O2: what was complete of an answer that was cut short is not paid for twice, and nothing that was taken back stays. */
import { Agent, type AgentInputItem, type JournalEntry, MemoryJournal, type ModelSettings, resume, retryPolicies } from 'loopchart';
import { calls, cuts, delays, fails, hangs, responds, says, scriptedModel, thinks, user, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';
import { type Seen, type World, play } from '../support/scenario.ts';

const retry: ModelSettings['retry'] = { maxRetries: 2, policy: retryPolicies.networkError(), backoff: { initialDelayMs: 100, jitter: false }, afterOutput: true };

async function patient(world: World, agent: Agent, options: Parameters<World['begin']>[2] = {}): Promise<Seen> {
  const going = world.begin(agent, 'go', options);
  await world.clock.settle();
  await world.clock.runAll();
  return going.settled;
}

const spoken = (items: readonly AgentInputItem[]) => items.flatMap((item) => ('role' in item && item.role === 'assistant' ? [(item.content as { text: string }[])[0]!.text] : []));
const retrying = ({ events }: Seen) => events.flatMap((event) => (event.type === 'turn.retrying' ? [spoken(event.kept ?? [])] : []));

test('K2: with retry.afterOutput a message that was complete stands, the rest is taken back and asked for again', async () => {
  const { value, requests } = await play(async (world) => {
    const model = world.model(cuts(4, responds(says('First.'), says('Second half.'))), says('Second.'));
    const seen = await patient(world, new Agent({ name: 'A', model, modelSettings: { retry } }));
    return [seen.finalOutput, spoken(seen.history), retrying(seen)];
  }, { only: 'streamed' });
  expect(value).toEqual(['First.Second.', ['First.', 'Second.'], [['First.']]]);
  expect(requests.map(({ input }) => spoken(input as AgentInputItem[]))).toEqual([[], ['First.']]);
});

test('K2: a call that was complete is carried out, and not asked for again', async () => {
  const look = counted('look', 'seen');
  const { value, requests } = await play(async (world) => {
    look.runs = 0;
    const model = world.model(cuts(2, responds(calls('look'), says('On it.'))), says('Looked.'));
    const seen = await patient(world, new Agent({ name: 'A', model, tools: [look.tool], modelSettings: { retry } }));
    return [seen.finalOutput, look.runs, seen.turns, seen.story];
  }, { only: 'streamed' });
  expect(value).toEqual(['Looked.', 1, 2, ['A: calls look {}', 'A: gets look "seen"', 'A: says "Looked."']]);
  expect(requests).toHaveLength(2);
});

/** In a while, or at once. */
const cutAnswer = (world: World, when: 'answering' | 'backingOff', ...[after, step]: Parameters<typeof cuts>) => (when === 'answering' ? delays(10, cuts(after, step), world.clock) : cuts(after, step));

/** Stopped softly while the first answer is under way, or while its request waits to be sent again; then gone on with. */
async function stopped(world: World, agent: Agent, when: 'answering' | 'backingOff', options: Parameters<World['begin']>[2] = {}): Promise<Seen[]> {
  const going = world.begin(agent, 'go', options);
  if (when === 'answering') await world.clock.settle();
  else await going.until('turn.retrying');
  going.softStop();
  await world.clock.runAll();
  const first = await going.settled;
  return [first, await world.run(agent, first.state)];
}

test.each(['answering', 'backingOff'] as const)('J1, K2: a soft stop while %s leaves messages of an answer that was cut: nobody pays for them again', async (when) => {
  const { runs, requests } = await play(async (world) => {
    const model = world.model(cutAnswer(world, when, 4, responds(says('First.'), says('Second half.'))), says('Second.'));
    const agent = new Agent({ name: 'A', model, modelSettings: { retry } });
    const [first] = await stopped(world, agent, when);
    expect(spoken(first!.history)).toEqual(['First.']);
  }, { only: 'streamed' });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['stopped', 'completed']);
  expect(requests.map(({ input }) => spoken(input as AgentInputItem[]))).toEqual([[], ['First.']]);
});

test.each(['answering', 'backingOff'] as const)('J1, K2: a soft stop while %s takes back a call of an answer that was cut: it has not begun', async (when) => {
  const look = counted('look', 'seen');
  const { runs, requests } = await play(async (world) => {
    look.runs = 0;
    const model = world.model(cutAnswer(world, when, 2, responds(calls('look'), says('On it.'))), says('No need.'));
    const [first] = await stopped(world, new Agent({ name: 'A', model, tools: [look.tool], modelSettings: { retry } }), when);
    const told = first!.events.flatMap((event) => (event.type === 'turn.retrying' || event.type === 'turn.retracted' ? [[event.type, event.kept?.length ?? 0]] : []));
    expect(told).toEqual([...(when === 'backingOff' ? [['turn.retrying', 1]] : []), ['turn.retracted', 0]]);
  }, { only: 'streamed' });
  expect([runs.map(({ outcome }) => outcome), look.runs]).toEqual([['stopped', 'completed'], 0]);
  expect(requests.map(({ input }) => input)).toEqual([[user('go')], [user('go')]]);
});

test.each(['answering', 'backingOff'] as const)('J1, K2: a soft stop while %s leaves nothing of a cut answer where the provider keeps the conversation', async (when) => {
  const { runs, requests } = await play(async (world) => {
    const model = world.model(cutAnswer(world, when, 4, responds(says('First.'), says('Second half.'))), says('All of it.'));
    const approve = () => ({ retry: true, approveUnsafeReplay: true });
    const [first] = await stopped(world, new Agent({ name: 'A', model, modelSettings: { retry: { ...retry, policy: approve } } }), when, { conversationId: 'conversation' });
    expect(spoken(first!.history)).toEqual([]);
  }, { only: 'streamed' });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['stopped', 'completed']);
  expect(requests.map(({ input }) => input)).toEqual([[user('go')], [user('go')]]);
});

test('J1, A8: a soft stop before the provider fails: the request that was made counts, and is told to be taken back', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(delays(10, fails({ network: true }), world.clock), says('There.')), modelSettings: { retry } });
    const [first] = await stopped(world, agent, 'answering');
    expect(first!.events.filter(({ type }) => type === 'turn.retracted')).toHaveLength(1);
  });
  expect(runs.map(({ outcome, usage }) => [outcome, usage.requests])).toEqual([['stopped', 1], ['completed', 2]]);
  expect(requests).toHaveLength(2);
});

test('K2: reasoning without the item that it led to is dropped', async () => {
  const { value, requests } = await play(async (world) => {
    const model = world.model(cuts(2, responds(thinks('Hm.'), says('Half a'))), says('Whole.'));
    const seen = await patient(world, new Agent({ name: 'A', model, modelSettings: { retry } }));
    return [seen.finalOutput, seen.newItems.length];
  }, { only: 'streamed' });
  expect(value).toEqual(['Whole.', 1]);
  expect(requests[1]!.input).toEqual([user('go')]);
});

test('K2: where the provider keeps the conversation, nothing of a cut answer is', async () => {
  const { requests } = await play(async (world) => {
    const model = world.model(cuts(3, responds(says('First.'), says('Second half.'))), says('All of it.'));
    const approve = () => ({ retry: true, approveUnsafeReplay: true });
    return patient(world, new Agent({ name: 'A', model, modelSettings: { retry: { ...retry, policy: approve } } }), { conversationId: 'conversation' });
  }, { only: 'streamed' });
  expect(requests.map(({ input }) => input)).toEqual([[user('go')], [user('go')]]);
});

test('K2: without it a stream that was cut fails the run, and its state asks for the whole answer', async () => {
  const { value, requests } = await play(async (world) => {
    const model = world.model(cuts(3, responds(says('First.'), says('Second half.'))), says('All of it.'));
    const agent = new Agent({ name: 'A', model, modelSettings: { retry: { ...retry, afterOutput: false } } });
    const failed = await patient(world, agent);
    const going = await world.run(agent, failed.state);
    return [failed.error?.name, failed.error?.message, going.finalOutput, spoken(going.history)];
  }, { only: 'streamed' });
  expect(value).toEqual(['ModelError', expect.stringContaining('the connection was lost'), 'All of it.', ['All of it.']]);
  expect(requests[1]!.input).toEqual([user('go')]);
});

/** The entries of a run whose process died while its model was answering. */
async function diedWhileAnswering(agent: Agent): Promise<JournalEntry[]> {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const { run } = await import('loopchart');
  const going = await run(agent, 'go', { stream: true, journal, clock, runId: 'run_kept' });
  const reading = (async () => {
    for await (const event of going) void event;
  })();
  reading.catch(() => undefined); // the process is gone: nobody reads to the end
  await clock.settle();
  return [...journal.read('run_kept')];
}

async function resumed(entries: readonly JournalEntry[], agent: Agent): Promise<unknown> {
  const journal = new MemoryJournal();
  const { epoch } = journal.open('run_kept');
  journal.append('run_kept', { epoch, position: 0 }, entries);
  journal.release('run_kept', epoch);
  const result = await resume('run_kept', { journal, agents: agent });
  return [result.finalOutput, spoken(result.history)];
}

test('O2: an item that was complete when the process died is not asked for again', async () => {
  const first = new Agent({ name: 'A', model: scriptedModel(hangs(3, responds(says('First.'), says('Second half.')))), modelSettings: { retry } });
  const entries = await diedWhileAnswering(first);
  expect(entries.map(({ type }) => type)).toEqual(['run.start', 'effect.item']);
  const model = scriptedModel(says('Second.'));
  expect(await resumed(entries, new Agent({ name: 'A', model }))).toEqual(['First.Second.', ['First.', 'Second.']]);
  expect(spoken(model.requests[0]!.input as AgentInputItem[])).toEqual(['First.']);
});

test('O2: a call that was complete when the process died is carried out, without a word to the model before', async () => {
  const look = counted('look', 'seen');
  const entries = await diedWhileAnswering(new Agent({ name: 'A', model: scriptedModel(hangs(2, responds(calls('look'), says('On it.')))), tools: [look.tool], modelSettings: { retry } }));
  const model = scriptedModel(says('Looked.'));
  expect(await resumed(entries, new Agent({ name: 'A', model, tools: [look.tool] }))).toEqual(['Looked.', ['Looked.']]);
  expect([look.runs, model.requests.length]).toEqual([1, 1]);
});

test('O1, O2: where a stream cannot take anything back, an answer that was cut short by the end of the process is asked for again, by the same request', async () => {
  const entries = await diedWhileAnswering(new Agent({ name: 'A', model: scriptedModel(hangs(3, responds(says('First.'), says('Second half.')))) }));
  expect(entries.map(({ type }) => type)).toEqual(['run.start']);
  const model = scriptedModel(says('All of it.'));
  expect(await resumed(entries, new Agent({ name: 'A', model }))).toEqual(['All of it.', ['All of it.']]);
  expect(model.requests[0]!.input).toEqual([user('go')]);
});

test('O2: an answer that is recorded whole is never asked for again', async () => {
  const wait = counted('wait', () => new Promise(() => undefined));
  const entries = await diedWhileAnswering(new Agent({ name: 'A', model: scriptedModel(calls('wait')), tools: [{ ...wait.tool, effect: 'idempotent' }] }));
  const done = counted('wait', 'waited');
  const model = scriptedModel(says('Done.'));
  expect(await resumed(entries, new Agent({ name: 'A', model, tools: [{ ...done.tool, effect: 'idempotent' }] }))).toEqual(['Done.', ['Done.']]);
  expect([done.runs, model.requests.length]).toEqual([1, 1]);
});
