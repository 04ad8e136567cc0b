/** L2: input that cannot wait cuts the answer that is on its way; what is complete of it stands. */
import { Agent, type AgentInputItem, MemoryJournal, type ModelSettings, handoff, resume, run } from 'loopchart';
import { calls, fails, hangs, inputOf, responds, says, scriptedModel, thinks, user, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { Execution } from '../../../actors/execution.ts';
import { counted, latch, refund } from '../support/cast.ts';
import { type Going, type Seen, type World, play } from '../support/scenario.ts';

const streamed = { only: 'streamed' } as const;
const instant = { mode: 'instant' } as const;
const asked = async (going: Going, world: World) => (await going.until('turn.started'), await world.clock.settle());
const steer = (going: Going) => going.steer('No, stop.', instant);
const settled = async (world: World, going: Going) => (await world.clock.runAll(), going.settled);
const spoken = (items: readonly AgentInputItem[]) => items.flatMap((item) => ('role' in item ? [typeof item.content === 'string' ? item.content : (item.content as { text: string }[])[0]!.text] : [item.type ?? '']));
const retracted = ({ events }: Pick<Seen, 'events'>) => events.flatMap((event) => (event.type === 'turn.retracted' ? [spoken(event.kept)] : []));
const settledTurns = ({ events }: Pick<Seen, 'events'>) => events.flatMap((event) => (event.type === 'turn.settled' ? [[event.turn, event.next, event.path.split('/').at(-1)]] : []));

test('L2, B1: with mode instant the stream is cut, half a message is dropped, complete ones stand, and the model is asked again with the input; the turn that was cut does not count', async () => {
  const { seen, value, requests } = await play(async (world) => {
    const model = world.model(hangs(4, responds(says('First.'), says('Half a sentence.'))), says('As you say.'));
    const going = world.begin(new Agent({ name: 'A', model }), 'go', { maxTurns: 1 });
    await asked(going, world);
    await steer(going);
    const seen = await settled(world, going);
    return [retracted(seen), settledTurns(seen), model.calls[0]!.signal!.aborted];
  }, streamed);
  expect(value).toEqual([[['First.']], [[1, 'cut', 'turn.1'], [1, 'final', 'turn.1.1']], true]);
  expect([seen.story, seen.turns, seen.usage.requests]).toEqual([['A: says "First."', 'A: reads "No, stop."', 'A: says "As you say."'], 1, 2]);
  expect(spoken(requests[1]!.input as AgentInputItem[])).toEqual(['go', 'First.', 'No, stop.']);
});

test('L2: by default the same input waits for a safe point', async () => {
  const { seen, requests } = await play(async (world) => {
    const model = world.model(says('Whole.'), says('As you say.'));
    const going = world.begin(new Agent({ name: 'A', model }), 'go');
    await going.steer('No, stop.');
    return settled(world, going);
  }, streamed);
  expect(seen.story).toEqual(['A: says "Whole."', 'A: reads "No, stop."', 'A: says "As you say."']);
  expect(requests.length).toBe(2);
});

test('L2: with steerMode instant every steer cuts; several are several messages, in order', async () => {
  const { seen, value } = await play(async (world) => {
    const model = world.model(hangs(2, says('One two')), hangs(2, says('Three four')), says('Well.'));
    const going = world.begin(new Agent({ name: 'A', model }), 'go', { steerMode: 'instant' });
    await asked(going, world);
    await going.steer('No.');
    await world.clock.settle();
    await going.steer('Or yes.');
    const seen = await settled(world, going);
    return settledTurns(seen);
  }, streamed);
  expect(value).toEqual([[1, 'cut', 'turn.1'], [1, 'cut', 'turn.1.1'], [1, 'final', 'turn.1.2']]);
  expect([seen.story, seen.turns, seen.usage.requests]).toEqual([['A: reads "No."', 'A: reads "Or yes."', 'A: says "Well."'], 1, 3]);
});

test('L2: reasoning that led to nothing is dropped with the rest', async () => {
  const { requests } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs(2, responds(thinks('Hm.'), says('Half'))), says('Well.')) }), 'go');
    await asked(going, world);
    await steer(going);
    return settled(world, going);
  }, streamed);
  expect(requests[1]!.input).toEqual(inputOf(user('go'), user('No, stop.')));
});

test('L2, C4: calls that are complete are carried out, those at work come to their end, and the input follows their results', async () => {
  for (const toolStart of ['afterResponse', 'eager'] as const) {
    const { value, seen, requests } = await play(async (world) => {
      const open = latch();
      const slow = counted('slow', () => open.promise.then(() => 'slowly'));
      const model = world.model(hangs(4, responds(says('Well.'), calls('slow'), says('Half'))), says('As you say.'));
      const going = world.begin(new Agent({ name: 'A', model, tools: [slow.tool] }), 'go', { toolStart });
      await asked(going, world);
      const before = slow.runs;
      await steer(going);
      await world.clock.settle();
      open.open();
      const seen = await settled(world, going);
      return [before, slow.runs, retracted(seen)];
    }, streamed);
    expect(value).toEqual([toolStart === 'eager' ? 1 : 0, 1, [['Well.', 'function_call']]]);
    expect([seen.story, seen.turns]).toEqual([['A: says "Well."', 'A: calls slow {}', 'A: gets slow "slowly"', 'A: reads "No, stop."', 'A: says "As you say."'], 2]);
    expect([requests.length, seen.usage.requests]).toEqual([2, 2]);
  }
});

test('L2: while calls are at work, or wait for a person, an instant steer waits for their results', async () => {
  const { value } = await play(async (world) => {
    const open = latch();
    const model = world.model(calls(['slow'], ['refund', { order: 7 }]), says('As you say.'));
    const agent = new Agent({ name: 'A', model, tools: [counted('slow', () => open.promise.then(() => 'slowly')).tool, refund] });
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    await steer(going);
    open.open();
    const waiting = await settled(world, going);
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return [waiting.outcome, retracted(waiting), (await world.run(agent, waiting.state)).story];
  }, streamed);
  expect(value).toEqual(['waiting', [], ['A: calls slow {}', 'A: calls refund {"order":7}', 'A: gets slow "slowly"', 'A: gets refund "refunded 7"', 'A: reads "No, stop."', 'A: says "As you say."']]);
});

const patient: ModelSettings['retry'] = { maxRetries: 1, policy: () => true, backoff: { initialDelayMs: 60_000, jitter: false } };

test('L2: while the turn backs off, the pause ends and the next request has the input', async () => {
  const { seen, value, requests } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'A', model: world.model(fails({ status: 503 }), says('There.')), modelSettings: { retry: patient } }), 'go');
    await going.until('turn.retrying');
    await steer(going);
    await world.clock.settle();
    return world.clock.pending.length;
  }, streamed);
  expect([value, seen.story, seen.turns]).toEqual([0, ['A: reads "No, stop."', 'A: says "There."'], 1]);
  expect(requests[1]!.input).toEqual(inputOf(user('go'), user('No, stop.')));
});

test('L2, J1: after a soft stop nothing is cut: the turn comes to its end and the input is kept for the next run', async () => {
  const { value } = await play(async (world) => {
    const open = latch();
    const model = world.model({ kind: 'computed', answer: () => open.promise.then(() => calls('look')) });
    const going = world.begin(new Agent({ name: 'A', model, tools: [counted('look', 'seen').tool] }), 'go');
    await asked(going, world);
    going.softStop();
    await steer(going);
    open.open();
    const { outcome, story, state } = await settled(world, going);
    return [outcome, story, state.undelivered];
  }, streamed);
  expect(value).toEqual(['stopped', ['A: calls look {}', 'A: gets look "seen"'], [user('No, stop.')]]);
});

test('L2, G1, E1: a cut saves nothing while guardrails look; what stands is saved with the next turn', async () => {
  const { sessions, value } = await play(async (world) => {
    const pass = latch();
    const session = world.session();
    const model = world.model(hangs(4, responds(says('First.'), says('Half a'))), says('As you say.'));
    const guardrail = { name: 'g', execute: async () => (await pass.promise, { tripwireTriggered: false, outputInfo: null }) };
    const going = world.begin(new Agent({ name: 'A', model, inputGuardrails: [guardrail] }), 'go', { session });
    await asked(going, world);
    await steer(going);
    await world.clock.settle();
    const before = (await session.getItems()).length;
    pass.open();
    await settled(world, going);
    return before;
  }, streamed);
  expect([value, spoken(sessions[0]!)]).toEqual([0, ['go', 'First.', 'No, stop.', 'As you say.']]);
});

test('L2, F1: a handoff that is complete takes place, and the input goes to the next agent', async () => {
  const { seen } = await play(async (world) => {
    const other = new Agent({ name: 'B', model: world.model(says('As you say.')) });
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs(2, responds(calls('transfer_to_B'), says('Half')))), handoffs: [handoff(other)] }), 'go');
    await asked(going, world);
    await steer(going);
    return settled(world, going);
  }, streamed);
  expect(seen.story).toEqual(['A: calls transfer_to_B {}', 'A → B: hands off', 'B: reads "No, stop."', 'B: says "As you say."']);
});

test('L2, G2: where the provider keeps the conversation, nothing of a cut answer stands', async () => {
  const { requests, seen } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs(4, responds(says('First.'), says('Half a'))), says('As you say.')) }), 'go', { conversationId: 'c' });
    await asked(going, world);
    await steer(going);
    return settled(world, going);
  }, streamed);
  expect([seen.story, requests[1]!.input]).toEqual([['A: reads "No, stop."', 'A: says "As you say."'], inputOf(user('go'), user('No, stop.'))]);
});

test('L2, E3: text that was held back from the stream and is taken back is never told', async () => {
  const { value } = await play(async (world) => {
    const guarded = { outputGuardrails: [{ name: 'g', execute: async () => ({ tripwireTriggered: false, outputInfo: null }) }] };
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs(2, says('Secret plan')), says('As you say.')), ...guarded }), 'go', { bufferUntilGuarded: true });
    await asked(going, world);
    await steer(going);
    const { stream } = await settled(world, going);
    return stream.flatMap((event) => (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta' ? [event.data.delta] : [])).join('');
  }, streamed);
  expect(value).toBe('As you say.');
});

test('L2, O1: a cut is recorded with what was complete: a process that dies after it goes on with the same request', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const agentWith = (...steps: Parameters<typeof scriptedModel>) => { const model = scriptedModel(...steps); return { model, agent: new Agent({ name: 'A', model }) }; };
  const first = agentWith(hangs(4, responds(says('First.'), says('Half a'))), hangs(1, says('As you')));
  const going = await run(first.agent, 'go', { stream: true, journal, clock, runId: 'run_cut' });
  (async () => { for await (const event of going) void event; })().catch(() => undefined); // the process is gone: nobody reads to the end
  await clock.settle();
  going.state.addInput('No, stop.', instant);
  await clock.settle();
  const home = new MemoryJournal();
  const { epoch } = home.open('run_cut');
  home.append('run_cut', { epoch, position: 0 }, JSON.parse(JSON.stringify(journal.read('run_cut'))));
  home.release('run_cut', epoch);
  const second = agentWith(says('As you say.'));
  const result = await resume('run_cut', { journal: home, agents: second.agent });
  expect([result.finalOutput, result.state.usage.requests]).toEqual(['As you say.', 2]);
  expect(second.model.requests[0]!.input).toEqual(first.model.requests[1]!.input);
});

test('L2: a request that does not stream is cut as well; one that is still being prepared is not, and the input waits', async () => {
  for (const isPrepared of [true, false]) {
    const clock = virtualClock();
    const ready = latch();
    const model = scriptedModel(isPrepared ? hangs() : says('Whole.'), says('As you say.'));
    const execution = new Execution({ agent: new Agent({ name: 'A', model, instructions: async () => (await (isPrepared ? undefined : ready.promise), 'Answer.') }), config: {}, options: { clock }, stream: false });
    const work = execution.start('go');
    await clock.settle();
    execution.steer([{ id: 's', item: user('No, stop.') }], { mode: 'instant' });
    ready.open();
    await work;
    const { history, turns } = execution.outcome!;
    expect([spoken(history), turns]).toEqual(isPrepared ? [['go', 'No, stop.', 'As you say.'], 1] : [['go', 'Whole.', 'No, stop.', 'As you say.'], 2]);
  }
});
