/** C4: calls that begin as soon as their item is complete, while the model still streams. */
import { Agent, type ModelSettings, MemoryJournal, applyPatchTool, handoff, resume, retryPolicies, run, shellTool, tool } from 'loopchart';
import { type ScriptedModel, calls, cuts, fails, hangs, responds, says, scriptedModel, thinks, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, refund } from '../support/cast.ts';
import { editor, shell } from '../support/hands.ts';
import { type Going, type RunOptions, type World, play } from '../support/scenario.ts';

const eager: RunOptions = { toolStart: 'eager' };
const streamed = { only: 'streamed' } as const;
const never = () => new Promise<never>(() => undefined);
/** What was told, without what is told of every run. */
const told = ({ events }: Pick<Going, 'events'>) => events.flatMap(({ type, path, ...rest }) => {
  const where = path.slice('run_test/agent.1/'.length);
  return /^(item|tool|turn|approval)\./.test(type) ? [`${type} ${where}${'status' in rest ? ` ${rest.status}` : ''}`] : [];
});
/** A model whose stream stands still after so many events, until nothing else is left to do. */
function pausing(model: ScriptedModel, after: number, { clock }: World): ScriptedModel {
  const stream = model.getStreamedResponse.bind(model);
  model.getStreamedResponse = async function* (request) {
    let count = 0;
    for await (const event of stream(request)) {
      if (count === after) await clock.settle();
      count += 1;
      yield event;
    }
  };
  return model;
}
const settled = async (world: World, going: Going) => (await world.clock.runAll(), going.settled);

test('C4: a call runs while the model still streams; its result stands after all calls, and it does not run again', async () => {
  const { value, seen, requests } = await play(async (world) => {
    const look = counted('look', 'seen');
    const model = world.model(hangs(2, responds(calls('look'), says('On it.'))));
    const going = world.begin(new Agent({ name: 'A', model, tools: [look.tool] }), 'go', eager);
    await going.until('item.completed');
    const streaming = [look.runs, told(going)];
    going.interrupt();
    await settled(world, going);
    const whole = world.model(responds(thinks('Hm.'), calls(['look'], ['look'])), says('Seen.'));
    const seen = await world.run(new Agent({ name: 'A', model: whole, tools: [look.tool] }), 'go', eager);
    return [streaming, look.runs, seen.story];
  }, streamed);
  expect(value).toEqual([
    [1, ['turn.started turn.1', 'item.started turn.1', 'tool.started turn.1/toolCall.1.0', 'item.completed turn.1/toolCall.1.0 completed']],
    3,
    ['A: reasoning_item', 'A: calls look {}', 'A: calls look {}', 'A: gets look "seen"', 'A: gets look "seen"', 'A: says "Seen."'],
  ]);
  expect([seen.turns, requests.length]).toEqual([2, 3]);
});

test('C4: by default, and where nothing streams, a call runs when the response is complete, with the same outcome', async () => {
  const { seen } = await play(async (world) => {
    const tools = [counted('look', 'seen').tool];
    if (world.mode === 'plain') return world.run(new Agent({ name: 'A', model: world.model(responds(says('Hm.'), calls('look')), says('Seen.')), tools }), 'go', eager);
    return world.run(new Agent({ name: 'A', model: world.model(responds(says('Hm.'), calls('look')), says('Seen.')), tools }), 'go');
  });
  expect(seen.story).toEqual(['A: says "Hm."', 'A: calls look {}', 'A: gets look "seen"', 'A: says "Seen."']);
});

test('C4, E1: while parallel input guardrails look, nothing begins and nobody is asked; when they have passed, what is ready begins', async () => {
  const { value } = await play(async (world) => {
    const pass = latch();
    const look = counted('look', 'seen');
    const model = world.model(hangs(3, responds(calls(['look'], ['refund', { order: 7 }]), says('On it.'))));
    const guardrail = { name: 'g', execute: async () => (await pass.promise, { tripwireTriggered: false, outputInfo: null }) };
    const going = world.begin(new Agent({ name: 'A', model, tools: [look.tool, refund], inputGuardrails: [guardrail] }), 'go', eager);
    await world.clock.settle();
    const before = [look.runs, told(going)];
    pass.open();
    await going.until('approval.requested');
    await world.clock.settle();
    const after = [look.runs, told(going).slice((before[1] as string[]).length)];
    going.interrupt();
    await settled(world, going);
    return [before, after];
  }, streamed);
  expect(value).toEqual([
    [0, ['turn.started turn.1', 'item.started turn.1', 'item.started turn.1']],
    [1, ['tool.started turn.1/toolCall.1.0', 'approval.requested turn.1/toolCall.1.1', 'item.completed turn.1/toolCall.1.0 completed']],
  ]);
});

test('C4, E1: calls that were ready when a guardrail tripped never ran', async () => {
  const { seen, value } = await play(async (world) => {
    const look = counted('look', 'seen');
    const trips = latch();
    const model = world.model(hangs(2, responds(calls('look'), says('On it.'))));
    const guardrail = { name: 'g', execute: async () => (await trips.promise, { tripwireTriggered: true, outputInfo: null }) };
    const going = world.begin(new Agent({ name: 'A', model, tools: [look.tool], inputGuardrails: [guardrail] }), 'go', eager);
    await going.until('item.started');
    trips.open();
    await settled(world, going);
    return look.runs;
  }, streamed);
  expect([seen.outcome, seen.error?.name, value]).toEqual(['failed', 'InputGuardrailTripwireTriggered', 0]);
});

test('C4, D1: a call that needs approval asks while the model streams; the run waits only when the model is done', async () => {
  const { value } = await play(async (world) => {
    const model = world.model(responds(says('A moment.'), calls(['refund', { order: 7 }], ['look'])), says('Done.'));
    const agent = new Agent({ name: 'A', model, tools: [refund, counted('look', 'seen').tool] });
    const waiting = await world.run(agent, 'go', eager);
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    const { finalOutput, story } = await world.run(agent, waiting.state, eager);
    return [waiting.outcome, told(waiting), finalOutput, story];
  }, streamed);
  expect(value).toEqual([
    'waiting',
    [
      'turn.started turn.1', 'item.started turn.1', 'approval.requested turn.1/toolCall.1.0', 'item.started turn.1', 'tool.started turn.1/toolCall.1.1',
      'item.completed turn.1/toolCall.1.1 completed', 'item.started turn.1', 'item.completed turn.1 completed',
    ],
    'Done.',
    ['A: says "A moment."', 'A: calls refund {"order":7}', 'A: calls look {}', 'A: gets refund "refunded 7"', 'A: gets look "seen"', 'A: says "Done."'],
  ]);
});

test('C4, D4: what a person decides while the model streams takes effect at once', async () => {
  const { value } = await play(async (world) => {
    const model = world.model(hangs(2, responds(calls('refund', { order: 7 }), says('A moment.'))));
    const going = world.begin(new Agent({ name: 'A', model, tools: [refund] }), 'go', eager);
    await going.until('approval.requested');
    const state = await going.state;
    state.approve(state.getInterruptions()[0]!);
    await going.until('item.completed');
    const streaming = told(going);
    going.interrupt();
    return [streaming.slice(2), (await settled(world, going)).story[1]];
  }, streamed);
  expect(value).toEqual([
    ['approval.requested turn.1/toolCall.1.0', 'approval.resolved turn.1/toolCall.1.0', 'tool.started turn.1/toolCall.1.0', 'item.completed turn.1/toolCall.1.0 completed'],
    'A: gets refund "refunded 7"',
  ]);
});

test('J2, G3: interrupted while calls are at work and the model streams: results that are there stay, others are aborted, text stays as it was cut', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(hangs(6, responds(says('First.'), calls(['quick'], ['slow']), says('Half a sentence.'))));
    const going = world.begin(new Agent({ name: 'A', model, tools: [counted('quick').tool, { ...counted('slow', never).tool, effect: 'pure' }] }), 'go', { ...eager, interruptNotice: false });
    await going.until('item.completed');
    await world.clock.settle();
    going.interrupt();
    return settled(world, going);
  }, streamed);
  expect([seen.outcome, seen.story]).toEqual([
    'interrupted',
    ['A: says "First."', 'A: calls quick {}', 'A: calls slow {}', 'A: says "Half " (cut)', 'A: gets quick "done"', 'A: gets slow "aborted by user after 0.0s"'],
  ]);
});

const retry: ModelSettings['retry'] = { maxRetries: 1, policy: retryPolicies.networkError(), backoff: { initialDelayMs: 100, jitter: false } };

test('C4, K2: a stream that breaks off after a call is not asked again for it: the call goes on, and so does the run', async () => {
  const { value, seen, requests } = await play(async (world) => {
    const open = latch();
    const slow = counted('slow', () => open.promise.then(() => 'slowly'));
    const model = world.model(cuts(2, responds(calls(['slow'], ['lost']))), says('Done.'));
    const going = world.begin(new Agent({ name: 'A', model, tools: [slow.tool, counted('lost').tool], modelSettings: { retry } }), 'go', eager);
    await going.until('turn.retrying');
    await world.clock.settle();
    open.open();
    await settled(world, going);
    return slow.runs;
  }, streamed);
  expect([value, seen.story, requests.length]).toEqual([1, ['A: calls slow {}', 'A: gets slow "slowly"', 'A: says "Done."'], 2]);
  expect(seen.usage.requests).toBe(2);
});

test('C4, K2, K5: a model that fails for good lets calls come to their end; who goes on from the failure has their results', async () => {
  const { value, requests } = await play(async (world) => {
    const open = latch();
    const slow = counted('slow', () => open.promise.then(() => 'slowly'));
    const model = world.model(cuts(2, responds(calls(['slow'], ['lost'])), { status: 500 }), says('Done.'));
    const agent = new Agent({ name: 'A', model, tools: [slow.tool] });
    const going = world.begin(agent, 'go', eager);
    await going.until('tool.started');
    await world.clock.settle();
    open.open();
    const failed = await settled(world, going);
    const again = await world.run(agent, failed.state, eager);
    return [failed.outcome, failed.story, again.story, again.finalOutput, slow.runs];
  }, streamed);
  const acted = ['A: calls slow {}', 'A: gets slow "slowly"'];
  expect(value).toEqual(['failed', acted, [...acted, 'A: says "Done."'], 'Done.', 1]);
  expect(requests.length).toBe(2);
});

test('C4, C2, K5: a call that fails the run while the model streams: siblings come to their end, what had not begun begins when somebody goes on', async () => {
  const { value } = await play(async (world) => {
    const [late, slow, fail, isBroken] = [counted('late', 'late'), latch(), latch(), { now: true }];
    const broken = { ...counted('broken', () => fail.promise.then(() => { if (isBroken.now) throw new Error('no'); return 'mended'; })).tool, errorFunction: null, effect: 'pure' as const };
    const model = pausing(world.model(calls(['broken'], ['slow'], ['late']), says('Done.')), 3, world);
    const agent = new Agent({ name: 'A', model, tools: [broken, counted('slow', () => slow.promise.then(() => 'slowly')).tool, late.tool] });
    const going = world.begin(agent, 'go', eager);
    await going.until((event) => event.type === 'tool.started' && event.call.name === 'slow');
    fail.open();
    await going.until((event) => event.type === 'item.completed' && event.status === 'failed');
    slow.open();
    const failed = await settled(world, going);
    const runs = late.runs;
    isBroken.now = false;
    const again = await world.run(agent, failed.state, eager);
    return [failed.error?.name, runs, failed.story, late.runs, again.story];
  }, streamed);
  const asked = ['A: calls broken {}', 'A: calls slow {}', 'A: calls late {}'];
  expect(value).toEqual(['ToolCallError', 0, [...asked, 'A: gets slow "slowly"'], 1, [...asked, 'A: gets broken "mended"', 'A: gets slow "slowly"', 'A: gets late "late"', 'A: says "Done."']]);
});

test('C5: an empty call id, or one used for another call, fails the run before that call; what had begun keeps its result', async () => {
  for (const [bad, runs] of [[['look', { n: 2 }, { callId: 'same' }], 1], [['look', { n: 2 }, { callId: '' }], 1]] as const) {
    const { seen, value } = await play(async (world) => {
      let ran = 0;
      const look = tool({ name: 'look', description: 'Looks.', parameters: z.object({ n: z.number() }), execute: () => ((ran += 1), 'seen') });
      await world.run(new Agent({ name: 'A', model: world.model(calls(['look', { n: 1 }, { callId: 'same' }], [...bad])), tools: [look] }), 'go', eager);
      return ran;
    }, streamed);
    expect([seen.outcome, seen.error?.name, value]).toEqual(['failed', 'ModelBehaviorError', runs]);
    expect(seen.error?.message).toMatch(/This call was not run\.$/);
    expect(seen.story).toEqual(['A: calls look {"n":1}', 'A: gets look "seen"']);
  }
});

test('C11: calls after one that ends the run are not run, though they are complete while the model streams', async () => {
  const { seen, value } = await play(async (world) => {
    const after = counted('after');
    const finish = { ...counted('finish', 'finished').tool, terminal: 'completed' as const };
    await world.run(new Agent({ name: 'A', model: world.model(calls(['finish'], ['after'])), tools: [finish, after.tool] }), 'go', eager);
    return after.runs;
  }, streamed);
  expect([seen.finalOutput, value]).toEqual(['finished', 0]);
});

test('F1: a handoff is no call that begins early; calls beside it finish first', async () => {
  const { seen } = await play(async (world) => {
    const other = new Agent({ name: 'B', model: world.model(says('Hello from B.')) });
    const model = world.model(calls(['transfer_to_B'], ['look']));
    return world.run(new Agent({ name: 'A', model, tools: [counted('look', 'seen').tool], handoffs: [handoff(other)] }), 'go', eager);
  }, streamed);
  expect(seen.story).toEqual(['A: calls transfer_to_B {}', 'A: calls look {}', 'A: gets look "seen"', 'A → B: hands off', 'B: says "Hello from B."']);
});

test('C3: serial tools, the cap on bodies and the place of hands hold for calls that begin early', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const step = (name: string, options: object = {}) => tool({ name, description: name, parameters: z.object({}), execute: async () => { log.push(`${name} begins`); await world.clock.settle(); log.push(`${name} ends`); return name; }, ...options });
    const hands = [{ type: 'shell_call' as const, callId: 'sh', action: { commands: ['ls'] }, status: 'completed' as const }, { type: 'apply_patch_call' as const, callId: 'p', operation: { type: 'delete_file' as const, path: 'x' }, status: 'completed' as const }];
    const parts = hands.map((item) => ({ item }));
    const answer = responds(calls(['a'], ['alone'], ['b']));
    const model = world.model({ ...answer, parts: [...parts, ...answer.parts] }, says('Done.'));
    const tools = [step('a'), step('alone', { parallel: false }), step('b'), shellTool({ shell: shell(log) }), applyPatchTool({ editor: editor(log) })];
    await world.run(new Agent({ name: 'A', model, tools }), 'go', eager);
    return log;
  }, streamed);
  expect(value).toEqual(['a begins', 'a ends', 'alone begins', 'alone ends', 'b begins', 'b ends', '$ ls', 'delete_file x']);
});

test('J1: a soft stop while calls are at work and the model streams lets the turn come to its end', async () => {
  const { seen } = await play(async (world) => {
    const open = latch();
    const model = world.model(responds(calls('slow'), says('On it.')));
    const going = world.begin(new Agent({ name: 'A', model, tools: [counted('slow', () => open.promise.then(() => 'slowly')).tool] }), 'go', eager);
    await going.until('tool.started');
    going.softStop();
    open.open();
    return settled(world, going);
  }, streamed);
  expect([seen.outcome, seen.story]).toEqual(['stopped', ['A: calls slow {}', 'A: says "On it."', 'A: gets slow "slowly"']]);
});

test('G2: where the provider keeps the conversation, calls wait for the response', async () => {
  const { value } = await play(async (world) => {
    const look = counted('look');
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs(2, responds(calls('look'), says('On it.')))), tools: [look.tool] }), 'go', { ...eager, conversationId: 'c' });
    await world.clock.settle();
    going.interrupt();
    await settled(world, going);
    return look.runs;
  }, streamed);
  expect(value).toBe(0);
});

test('C4, O1, O3: a process that dies while calls are at work: what is recorded as ready is neither lost nor doubled, and the model is not asked for it again', async () => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const first = { quick: counted('quick', 'fast'), slow: counted('slow', never) };
  const model = scriptedModel(hangs(3, responds(calls(['quick'], ['slow'], ['lost']))));
  const going = await run(new Agent({ name: 'A', model, tools: [{ ...first.quick.tool, effect: 'pure' }, { ...first.slow.tool, effect: 'pure' }] }), 'go', { ...eager, stream: true, journal, clock, runId: 'run_eager' });
  (async () => { for await (const event of going) void event; })().catch(() => undefined); // the process is gone: nobody reads to the end
  await clock.settle();
  const entries = [...journal.read('run_eager')];
  expect(entries.map(({ type }) => type)).toEqual(['run.start', 'effect.item', 'effect.item', 'effect.done']);
  const second = { quick: counted('quick', 'fast'), slow: counted('slow', 'slowly') };
  const next = scriptedModel(says('Done.'));
  const home = new MemoryJournal();
  const { epoch } = home.open('run_eager');
  home.append('run_eager', { epoch, position: 0 }, JSON.parse(JSON.stringify(entries)));
  home.release('run_eager', epoch);
  const result = await resume('run_eager', { journal: home, agents: new Agent({ name: 'A', model: next, tools: [{ ...second.quick.tool, effect: 'pure' }, { ...second.slow.tool, effect: 'pure' }] }) });
  expect([result.finalOutput, first.quick.runs, second.quick.runs, second.slow.runs, next.requests.length]).toEqual(['Done.', 1, 0, 1, 1]);
});

test('C4: a request that fails before anything is complete is sent again as ever', async () => {
  const { seen } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'A', model: world.model(fails({ network: true }), calls('look'), says('Seen.')), tools: [counted('look', 'seen').tool], modelSettings: { retry } }), 'go', eager);
    await world.clock.settle();
    return settled(world, going);
  }, streamed);
  expect(seen.story).toEqual(['A: calls look {}', 'A: gets look "seen"', 'A: says "Seen."']);
});

test('F5, J2: an agent used as a tool begins early too, and an interrupt reaches it', async () => {
  const { value } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('From inside.')) });
    const stuck = new Agent({ name: 'Stuck', model: world.model(hangs()) });
    const model = world.model(hangs(3, responds(calls(['Inner', { input: 'hi' }], ['Stuck', { input: 'hi' }]), says('Well.'))));
    const going = world.begin(new Agent({ name: 'A', model, tools: [inner.asTool({}), stuck.asTool({})] }), 'go', { ...eager, interruptNotice: false });
    await going.until((event) => event.type === 'item.completed' && event.id.endsWith('toolCall.1.0'));
    await world.clock.settle();
    going.interrupt();
    return (await settled(world, going)).story;
  }, streamed);
  expect(value).toEqual(['A: calls Inner {"input":"hi"}', 'A: calls Stuck {"input":"hi"}', 'A: gets Inner "From inside."', 'A: gets Stuck "aborted by user after 0.0s"']);
});

test('C5: a call that is said twice in one response begins once', async () => {
  const { seen, value } = await play(async (world) => {
    const look = counted('look', 'seen');
    await world.run(new Agent({ name: 'A', model: world.model(calls(['look', {}, { callId: 'c' }], ['look', {}, { callId: 'c' }]), says('Seen.')), tools: [look.tool] }), 'go', eager);
    return look.runs;
  }, streamed);
  expect([value, seen.story]).toEqual([1, ['A: calls look {}', 'A: gets look "seen"', 'A: says "Seen."']]);
});

test('C4, G3: a call that began and that the provider leaves out in the end stays part of the answer', async () => {
  const { seen } = await play(async (world) => {
    const model = world.model(calls(['look'], ['add']), says('Seen.'));
    const stream = model.getStreamedResponse.bind(model);
    model.getStreamedResponse = async function* (request) {
      for await (const event of stream(request)) yield event.type === 'response_done' ? { ...event, response: { ...event.response, output: event.response.output.filter((item) => !('name' in item) || item.name !== 'look') } } : event;
    };
    return world.run(new Agent({ name: 'A', model, tools: [counted('look', 'seen').tool, counted('add', '3').tool] }), 'go', eager);
  }, streamed);
  expect(seen.story).toEqual(['A: calls add {}', 'A: calls look {}', 'A: gets add "3"', 'A: gets look "seen"', 'A: says "Seen."']);
});

test('J2, K2: where complete items are kept and calls do not begin early, an interrupt leaves messages, drops calls that nobody has begun, and keeps text as it was cut', async () => {
  const { seen } = await play(async (world) => {
    const look = counted('look');
    const model = world.model(hangs(5, responds(says('First.'), calls('look'), says('Half a sentence.'))));
    const going = world.begin(new Agent({ name: 'A', model, tools: [look.tool], modelSettings: { retry: { ...retry, afterOutput: true } } }), 'go', { interruptNotice: false });
    await world.clock.settle();
    going.interrupt();
    return settled(world, going);
  }, streamed);
  expect(seen.story).toEqual(['A: says "First."', 'A: says "Half " (cut)']);
});
