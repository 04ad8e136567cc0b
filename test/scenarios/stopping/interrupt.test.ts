/** J2–J4: an interrupt in every phase of a run: what stays, in which order it ends, and that nothing goes on. */
import { Agent, type AgentInputItem, MemorySession, handoff, run, tool } from 'loopchart';
import { answersWith, calls, delays, fails, hangs, responds, says, scriptedModel, thinks, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, counted, latch, refund } from '../support/cast.ts';
import { type Going, type RunOptions, type World, play } from '../support/scenario.ts';

const NOTICE = 'The previous run was interrupted on purpose. Calls that were cut short may have had part of their effect.';
const never = () => new Promise<never>(() => undefined);

interface Phase { agent: (world: World) => Agent<any, any>; reached: (going: Going, world: World) => Promise<unknown>; options?: () => RunOptions; story: string[] }

/** A session that never answers. */
const stuckSession = () => Object.assign(new MemorySession(), { getItems: never });
const modelAsked = async (going: Going, world: World) => {
  await going.until('turn.started');
  await world.clock.settle();
};

/** Where a run can be when it is interrupted; each waits for something that does not come. */
const PHASES: Record<string, Phase> = {
  'loading the session': { agent: (world) => new Agent({ name: 'A', model: world.model() }), options: () => ({ session: stuckSession() }), reached: (going) => going.until('run.started'), story: [] },
  'guarding, before the model': {
    agent: (world) => new Agent({ name: 'A', model: world.model(), inputGuardrails: [{ name: 'g', runInParallel: false, execute: never }] }),
    reached: (going) => going.until('run.started'), story: [],
  },
  'resolving instructions': { agent: (world) => new Agent({ name: 'A', model: world.model(), instructions: never }), reached: modelAsked, story: ['A: reads …'] },
  'sampling, before any text': { agent: (world) => new Agent({ name: 'A', model: world.model(hangs()) }), reached: modelAsked, story: ['A: reads …'] },
  'backing off': {
    agent: (world) => new Agent({ name: 'A', model: world.model(fails({ status: 503 })), modelSettings: { retry: { maxRetries: 1, policy: () => ({ retry: true, delayMs: 60_000 }) } } }),
    reached: (going) => going.until('turn.retrying'), story: ['A: reads …'],
  },
  'holding, with an answer that may not be used yet': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls('tick')), tools: [counted('tick').tool], inputGuardrails: [{ name: 'g', execute: never }] }),
    reached: (going) => going.until('item.started'), story: ['A: calls tick {}', 'A: gets tick "aborted by user after 0.0s"'],
  },
  'deciding about approval': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls('tick')), tools: [{ ...counted('tick').tool, needsApproval: never }] }),
    reached: (going) => going.until('item.started'), story: ['A: calls tick {}', 'A: gets tick "aborted by user after 0.0s"', 'A: reads …'],
  },
  'guarding the input of a tool': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls('tick')), tools: [{ ...counted('tick').tool, inputGuardrails: [{ type: 'tool_input', name: 'g', run: never }] }] }),
    reached: (going) => going.until('item.started'), story: ['A: calls tick {}', 'A: gets tick "aborted by user after 0.0s"', 'A: reads …'],
  },
  'acting, with calls at work and calls that wait': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls(['quick'], ['slow'], ['refund', { order: 7 }])), tools: [counted('quick').tool, counted('slow', never).tool, refund] }),
    reached: (going) => going.until((event) => event.type === 'item.completed' && event.id.endsWith('1.0')),
    story: ['A: calls quick {}', 'A: calls slow {}', 'A: calls refund {"order":7}', 'A: gets quick "done"', `A: gets slow "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"`, 'A: gets refund "aborted by user after 0.0s"', 'A: reads …'],
  },
  'guarding the output of a tool': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls('tick')), tools: [{ ...counted('tick').tool, outputGuardrails: [{ type: 'tool_output', name: 'g', run: never }] }] }),
    reached: async (going, world) => (await going.until('tool.started'), await world.clock.settle()), story: ['A: calls tick {}', `A: gets tick "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"`, 'A: reads …'],
  },
  'asking what the results mean': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls('tick')), tools: [counted('tick').tool], toolUseBehavior: never }),
    reached: (going) => going.until('item.completed'), story: ['A: calls tick {}', 'A: gets tick "done"', 'A: reads …'],
  },
  'guarding the output': {
    agent: (world) => new Agent({ name: 'A', model: world.model(says('Done.')), outputGuardrails: [{ name: 'g', execute: never }] }),
    reached: (going) => going.until('turn.settled'), story: ['A: says "Done."', 'A: reads …'],
  },
  'handing off': {
    agent: (world) => {
      const model = world.model(calls('transfer_to_B'));
      return new Agent({ name: 'A', model, handoffs: [handoff(new Agent({ name: 'B', model }), { onHandoff: never })] });
    },
    reached: (going) => going.until('handoff.requested'), story: ['A: calls transfer_to_B {}', 'A: gets transfer_to_B "aborted"'],
  },
  'a nested agent at work': {
    agent: (world) => new Agent({ name: 'A', model: world.model(calls('B', { input: 'hi' })), tools: [new Agent({ name: 'B', model: world.model(hangs()) }).asTool({})] }),
    reached: async (going, world) => (await going.until((event) => event.type === 'turn.started' && event.agent === 'B'), await world.clock.settle()),
    story: ['A: calls B {"input":"hi"}', 'A: gets B "aborted by user after 0.0s"', 'A: reads …'],
  },
};

for (const [phase, { agent, reached, options, story }] of Object.entries(PHASES)) {
  test(`J2, J4: interrupted while ${phase}`, async () => {
    const { seen } = await play(async (world) => {
      const going = world.begin(agent(world), 'go', options?.());
      await reached(going, world);
      going.interrupt();
      going.interrupt();
      await world.clock.runAll();
      return going.settled;
    });
    expect([seen.outcome, seen.error]).toEqual(['interrupted', { name: 'AbortError', message: 'The run was interrupted.' }]);
    expect(seen.story.map((line) => line.replace(JSON.stringify(NOTICE), '…'))).toEqual(story);
    expect(seen.events.filter(({ type, path }) => type === 'run.settled' && path === 'run_test').length).toBe(1);
  });
}

test('J2, B4: interrupted while the session saves the answer, the end that was reached stands', async () => {
  const { seen } = await play(async (world) => {
    const saved = latch();
    const session = world.session();
    const { addItems } = session;
    session.addItems = async (items) => (await saved.promise, addItems.call(session, items));
    const going = world.begin(new Agent({ name: 'A', model: world.model(says('Done.')) }), 'go', { session });
    await going.until('turn.settled');
    going.interrupt();
    saved.open();
    await world.clock.runAll();
    return going.settled;
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
});

const assistantIn = (items: AgentInputItem[]) => items.filter((item) => 'role' in item && item.role === 'assistant');

test('J2: text that had streamed stays, marked as incomplete; reasoning and calls that had not are dropped', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(hangs(4, responds(thinks('Hm.'), says('one two three'), calls('tick'))), says('Going on.')), tools: [counted('tick').tool] });
    const going = world.begin(agent, 'go');
    await modelAsked(going, world);
    going.interrupt();
    await world.clock.runAll();
    const { state } = await going.settled;
    return world.run(agent, state);
  }, { only: 'streamed' });
  expect(runs[0]!.story).toEqual(['A: says "one two " (cut)', `A: reads ${JSON.stringify(NOTICE)}`]);
  expect(assistantIn(requests[1]!.input)).toEqual([{ type: 'message', role: 'assistant', status: 'incomplete', content: [{ type: 'output_text', text: 'one two ' }] }]);
  expect(runs[1]!.finalOutput).toBe('Going on.');
});

test('J2: keepPartial false drops the text, interruptNotice false the notice', async () => {
  const { seen } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs(3, says('one two three'))) }), 'go', { keepPartial: false, interruptNotice: false });
    await modelAsked(going, world);
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  }, { only: 'streamed' });
  expect(seen.story).toEqual([]);
});

test('J2: calls without a result say after how long they were aborted, counted from the answer that asked for them', async () => {
  const { seen } = await play(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(delays(5_000, calls('slow'), world.clock)), tools: [counted('slow', never).tool] });
    const going = world.begin(agent, 'go');
    await world.clock.advance(5_000);
    await world.clock.advance(12_340);
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  });
  expect(seen.story[1]).toBe(`A: gets slow "aborted by user after 12.3s. ${MAY_HAVE_COMPLETED}"`);
});

test('J2: approvals resolve first, then items end, then turns, then the run; only then the interrupt does', async () => {
  const clock = virtualClock();
  const log: string[] = [];
  const model = scriptedModel(calls(['slow'], ['refund', { order: 1 }], ['refund', { order: 2 }]));
  const slow = latch();
  const agent = new Agent({ name: 'A', model, tools: [counted('slow', () => slow.promise).tool, refund] });
  const stream = await run(agent, 'go', { stream: true, clock, graceMs: 500, onEvent: ({ type }) => void log.push(type) });
  await clock.settle();
  log.length = 0;
  const cancelled = stream.cancel().then(() => log.push('interrupt() resolves'));
  await clock.advance(499);
  log.push('grace');
  await clock.advance(1);
  await cancelled;
  expect(log).toEqual(['approval.resolved', 'approval.resolved', 'item.completed', 'item.completed', 'item.completed', 'turn.settled', 'run.settled', 'grace', 'interrupt() resolves']);
});

test('J2: approvals inside a nested agent resolve before the items of the run around it end, and once', async () => {
  const { seen } = await play(async (world) => {
    const clerk = new Agent({ name: 'Clerk', model: world.model(calls('refund', { order: 7 })), tools: [refund] });
    const agent = new Agent({ name: 'A', model: world.model(calls(['slow'], ['Clerk', { input: 'refund 7' }])), tools: [counted('slow', never).tool, clerk.asTool({})] });
    const going = world.begin(agent, 'go');
    await going.until('approval.requested');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  });
  const end = seen.events.slice(seen.events.findIndex(({ type }) => type === 'approval.resolved'));
  expect(end.map(({ type, path }) => `${type} ${path.replaceAll('/agent.1/turn.1', '').slice('run_test'.length)}`)).toEqual([
    'approval.resolved /toolCall.1.1/run/toolCall.1.0', 'item.completed /toolCall.1.0', 'run.resumed /toolCall.1.1/run', 'item.completed /toolCall.1.1/run/toolCall.1.0',
    'turn.settled /toolCall.1.1/run', 'run.settled /toolCall.1.1/run', 'item.completed /toolCall.1.1', 'turn.settled ', 'run.settled ',
  ]);
});

/** A body that ends when it is told to, or not at all. */
const stubborn = (heeds: boolean, log: string[]) =>
  tool({
    name: 'slow', description: 'Takes its time.', parameters: z.object({}), timeoutMs: 60_000,
    execute: (_, __, details) => new Promise((_resolve, reject) => {
      details!.signal!.addEventListener('abort', () => {
        log.push('told to stop');
        if (heeds) reject(details!.signal!.reason);
      });
    }),
  });

for (const [heeds, expected] of [[true, 0], [false, 100]] as const) {
  test(`C8, J2: a body that ${heeds ? 'heeds its signal ends the wait at once' : 'ignores its signal is left behind after its grace of 100 ms'}, without a timer`, async () => {
    const clock = virtualClock();
    const log: string[] = [];
    const stream = await run(new Agent({ name: 'A', model: scriptedModel(calls('slow')), tools: [stubborn(heeds, log)] }), 'go', { stream: true, clock });
    await clock.settle();
    let resolved = false;
    const cancelled = stream.cancel().then(() => (resolved = true));
    await clock.advance(expected - 1 < 0 ? 0 : expected - 1);
    const early = resolved;
    await clock.advance(1);
    await cancelled;
    expect([early, log, clock.pending]).toEqual([heeds, ['told to stop'], []]);
  });
}

test('J3: an AbortSignal interrupts; one that had fired lets nothing be sent', async () => {
  const { seen, requests } = await play(async (world) => world.run(new Agent({ name: 'A', model: world.model() }), 'go', { signal: AbortSignal.abort() }));
  expect([seen.outcome, requests.length]).toEqual(['interrupted', 0]);
});

test('J3: interrupting a run that has settled, or waits for a person, is answered and changes nothing', async () => {
  const settled = await run(new Agent({ name: 'A', model: scriptedModel(says('Done.')) }), 'go', { stream: true });
  await settled.completed;
  await settled.cancel();
  expect([settled.finalOutput, settled.cancelled]).toEqual(['Done.', false]);

  const agent = new Agent({ name: 'A', model: scriptedModel(calls('refund', { order: 7 }), says('Refunded.')), tools: [refund] });
  const waiting = await run(agent, 'go', { stream: true });
  await waiting.completed;
  const entries = waiting.state.source.entries.length;
  await waiting.cancel();
  expect([waiting.interruptions.length, waiting.state.source.entries.length]).toEqual([1, entries]);
  waiting.state.approve(waiting.interruptions[0]!);
  expect((await run(agent, waiting.state)).finalOutput).toBe('Refunded.');
});

test('J4: after an interrupt what a hook, instructions or a policy still held up does not begin', async () => {
  const hooks: Record<string, (world: World, wait: Promise<void>, log: string[]) => Agent<any, any>> = {
    instructions: (world, wait) => new Agent({ name: 'A', model: world.model(), instructions: async () => (await wait, '') }),
    'tool hook': (world, wait, log) => {
      const agent = new Agent({ name: 'A', model: world.model(calls('tick')), tools: [counted('tick', () => log.push('body')).tool] });
      agent.on('agent_tool_start', () => wait);
      return agent;
    },
    onHandoff: (world, wait, log) => {
      const model = world.model(calls('transfer_to_B'));
      const agent = new Agent({ name: 'A', model, handoffs: [handoff(new Agent({ name: 'B', model }), { onHandoff: () => wait, inputFilter: (data) => (log.push('filter'), data) })] });
      agent.on('agent_handoff', () => void log.push('hook'));
      return agent;
    },
    'start hook': (world, wait, log) => {
      const agent = new Agent({ name: 'A', model: world.model() });
      agent.on('agent_start', () => wait);
      agent.on('agent_turn_start', () => void log.push('turn hook'));
      return agent;
    },
  };
  for (const make of Object.values(hooks)) {
    const { value, seen } = await play(async (world) => {
      const held = latch();
      const log: string[] = [];
      const going = world.begin(make(world, held.promise, log), 'go');
      await world.clock.settle();
      going.interrupt();
      held.open();
      await going.settled;
      await world.clock.settle();
      return log;
    });
    expect([seen.outcome, value]).toEqual(['interrupted', []]);
  }
});

test('J4: what a model still sends after an interrupt is not heard', async () => {
  const { value } = await play(async (world) => {
    const late = latch<ReturnType<typeof says>>();
    const model = world.model(answersWith(() => late.promise));
    const agent = new Agent({ name: 'A', model });
    const ends: string[] = [];
    agent.on('agent_llm_end', () => void ends.push('llm_end'));
    const going = world.begin(agent, 'go');
    await modelAsked(going, world);
    going.interrupt();
    await world.clock.runAll();
    await going.settled;
    late.open(says('Too late.'));
    await world.clock.settle();
    return ends;
  });
  expect(value).toEqual([]);
});

