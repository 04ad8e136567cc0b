/** F5 on threads: agents that work beside the runs, and whose result comes as mail. */
import { Agent, type RunContext, UserError, run, tool, type AgentInputItem } from 'loopchart';
import { answersWith, calls, empty, fails, hangs, loop, says, scriptedModel, user, type SingleStep, type Step } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, refund } from '../support/cast.ts';
import { livesOf } from '../support/threadLives.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';

const BEGUN = '"ask_helper" has begun to work in the background. Its answer will come as mail; do not wait for it.';
const BACKGROUND = 'thread_test/background.1';

/** Lead asks Helper, says that it has, and then what it is told. */
function leadWith(world: ThreadWorld, helper: Agent<any, any>, { steps = [says('Asked.'), says('Heard.')] }: { steps?: Step[] } = {}) {
  const model = world.model(calls('ask_helper', { input: 'What?' }), ...steps);
  return new Agent({ name: 'Lead', model, tools: [helper.asTool({ toolName: 'ask_helper', background: true })] });
}
const helperOf = (world: ThreadWorld, steps: Step[], more: Partial<ConstructorParameters<typeof Agent<any, any>>[0]> = {}) => new Agent<any, any>({ name: 'Helper', model: world.model(...steps), ...more });
/** The model answers when it may. */
function held(step: SingleStep) {
  const gate = latch();
  return { open: gate.open, step: answersWith(async () => (await gate.promise, step)) };
}
const settled = (thread: PlayedThread, path: string) => thread.until((event) => event.type === 'run.settled' && event.path === path);
const second = (thread: PlayedThread) => settled(thread, 'thread_test/run.2');
const textOf = (item: AgentInputItem | undefined) => (item && 'content' in item ? item.content : undefined);

test('F5: the call says that the agent has begun; its result wakes the idle thread as mail', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const answer = held(says('42.'));
    const thread = world.thread(leadWith(world, helperOf(world, [answer.step])));
    await thread.run('go');
    expect(thread.look).toMatchObject({ state: 'idle', background: [{ path: BACKGROUND, agent: 'Helper', from: 'ask_helper' }] });
    answer.open();
    await second(thread);
    expect(thread.look.background).toEqual([]);
  });
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from mail: completed']);
  expect(requests.map(({ input }) => textOf(input.at(-1)) ?? input.at(-1))).toEqual(['go', 'What?', expect.objectContaining({ output: { type: 'text', text: BEGUN } }), '[Mail from ask_helper]\n42.']);
  expect(seen.usage.requests).toBe(4);
});

test('F5, M4: a result that comes while a run is going is read at its next safe point', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', async () => (await gate.promise, 'seen'));
    const lead = leadWith(world, helperOf(world, [says('42.')]), { steps: [calls('look'), says('It is 42.')] });
    lead.tools.push(look.tool);
    const thread = world.thread(lead);
    const going = thread.run('go');
    await settled(thread, BACKGROUND);
    gate.open();
    await going;
  });
  expect(seen.runs).toEqual(['run.1 from command: completed']);
  expect(requests.at(-1)!.input.at(-1)).toEqual(user('[Mail from ask_helper]\n42.'));
});

test('F5, M4: a result that comes when the last answer is complete wakes the thread after the run', async () => {
  const { seen } = await playThread(async (world) => {
    const [answer, hook] = [held(says('42.')), latch()];
    const thread = world.thread(leadWith(world, helperOf(world, [answer.step])), { stopHooks: [{ name: 'slow', execute: async () => (answer.open(), await hook.promise) }] });
    const going = thread.run('go');
    await settled(thread, BACKGROUND);
    hook.open();
    await going;
    await second(thread);
  });
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from mail: completed']);
});

test('F5: a failure is reported in words', async () => {
  const { requests } = await playThread(async (world) => {
    const answer = held(fails({ status: 400, message: 'No such model.' }));
    const thread = world.thread(leadWith(world, helperOf(world, [answer.step])));
    await thread.run('go');
    answer.open();
    await second(thread);
  });
  expect(textOf(requests.at(-1)!.input.at(-1))).toMatch(/^\[Mail from ask_helper\]\nThe work failed: .*No such model/);
});

test('F5, D1: its approvals are those of the thread, idle or at work on something else; it goes on where it is approved', async () => {
  const { seen, value } = await playThread(async (world) => {
    const lead = leadWith(world, helperOf(world, [calls('refund', { order: 7 }), says('Paid.')], { tools: [refund] }), { steps: [says('Asked.'), says('Meanwhile.'), says('Heard.')] });
    const thread = world.thread(lead);
    await thread.run('go');
    await thread.until('approval.requested');
    const idle = [thread.state, thread.interruptions.map(({ path, agent, name }) => [path, agent.name, name])];
    const meanwhile = await thread.run('Something else.');
    const again = await world.reopen(thread);
    await again.approve(again.interruptions[0]!);
    await settled(again, 'thread_test/run.3');
    return [...idle, meanwhile.finalOutput];
  });
  expect(value).toEqual(['idle', [[[`${BACKGROUND}/agent.1/turn.1/toolCall.1.0`], 'Helper', 'refund']], 'Meanwhile.']);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from command: completed', 'run.3 from mail: completed']);
});

test('L7: a steer by its path reaches it', async () => {
  const { requests, value } = await playThread(async (world) => {
    const gate = latch();
    const look = counted('look', async () => (await gate.promise, 'seen'));
    const thread = world.thread(leadWith(world, helperOf(world, [calls('look'), says('42.')], { tools: [look.tool] })));
    await thread.run('go');
    await thread.until('tool.started');
    const receipt = await thread.steer('Hurry.', { path: BACKGROUND });
    gate.open();
    await second(thread);
    return receipt.status === 'accepted' && receipt.delivery;
  });
  expect(value).toMatchObject({ status: 'delivered', runId: BACKGROUND });
  expect(requests.find(({ input }) => textOf(input.at(-1)) === 'Hurry.')?.input[0]).toEqual(user('What?'));
});

test('F5: thread.interrupt() leaves it alone, and by its path ends it; that is reported, and wakes nobody', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(leadWith(world, helperOf(world, [hangs()]), { steps: [hangs()] }));
    const going = thread.run('go');
    await thread.until((event) => event.type === 'turn.started' && event.turn === 2);
    const first = await thread.interrupt();
    await expect(going.result).rejects.toMatchObject({ name: 'AbortError' });
    const left = thread.look.background.length;
    const atEnd = await thread.interrupt({ path: BACKGROUND });
    return [first.status, left, atEnd.status, thread.look.background.length, thread.state, (await thread.interrupt({ path: BACKGROUND })).status];
  });
  expect(value).toEqual(['accepted', 1, 'accepted', 0, 'paused', 'noEffect']);
  expect(seen.mailbox).toEqual(['ask_helper: The work was interrupted.']);
});

test('M9, F5: close interrupts it', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(leadWith(world, helperOf(world, [hangs()])));
    await thread.run('go');
    await thread.close();
    return thread.told.flatMap((event) => (event.type === 'run.settled' ? [`${event.path} ${event.outcome.status}`] : []));
  });
  expect(value).toEqual(['thread_test/run.1 completed', `${BACKGROUND} interrupted`]);
  expect([seen.state, seen.mailbox]).toEqual(['closed', ['ask_helper: The work was interrupted.']]);
});

test('F5: begun by a nested agent, and by another that works in the background', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const helper = helperOf(world, [says('42.')]);
    const deputy = new Agent({ name: 'Deputy', model: world.model(calls('ask_helper', { input: 'What?' }), says('I asked.')), tools: [helper.asTool({ toolName: 'ask_helper', background: true })] });
    const middle = new Agent({ name: 'Middle', model: world.model(calls('ask_deputy', { input: 'Ask.' }), says('Begun.')), tools: [deputy.asTool({ toolName: 'ask_deputy', background: true })] });
    const lead = new Agent({ name: 'Lead', model: world.model(calls('Middle', { input: 'Do.' }), says('Done.'), says('One.'), says('Two.')), tools: [middle.asTool({})] });
    const thread = world.thread(lead);
    await thread.run('go');
    await settled(thread, 'thread_test/background.2');
    await thread.until((event) => event.type === 'thread.changed' && event.state === 'idle' && thread.look.background.length === 0 && thread.look.mailbox.length === 0);
  }, { immortal: 'which of the two ends first is a matter of chance' });
  const mail = requests.flatMap(({ input }) => input).flatMap((item) => (String(textOf(item)).startsWith('[Mail') ? [textOf(item)] : []));
  expect(new Set(mail)).toEqual(new Set(['[Mail from ask_deputy]\nI asked.', '[Mail from ask_helper]\n42.']));
  expect(seen.runs[0]).toBe('run.1 from command: completed');
});

test('F5: several calls of one response begin several', async () => {
  const { value } = await playThread(async (world) => {
    const helper = helperOf(world, [hangs(), hangs()]);
    const model = world.model(calls(['ask_helper', { input: 'One?' }], ['ask_helper', { input: 'Two?' }]), says('Asked.'));
    const thread = world.thread(new Agent({ name: 'Lead', model, tools: [helper.asTool({ toolName: 'ask_helper', background: true })] }));
    await thread.run('go');
    const { background } = thread.look;
    await thread.close();
    return background.map(({ path }) => path);
  });
  expect(value).toEqual(['thread_test/background.1', 'thread_test/background.2']);
});

test('F5: structured input, its own output, options and hooks are those of the delegate', async () => {
  const heard: string[] = [];
  const { requests } = await playThread(async (world) => {
    const helper = helperOf(world, [calls('spin'), calls('spin'), says('{"answer":42}')], {
      outputType: z.object({ answer: z.number() }),
      instructions: (context: RunContext<any>) => `For ${JSON.stringify(context.toolInput)}, ${context.context}.`,
      tools: [tool({ name: 'spin', description: '', parameters: z.object({}), execute: () => 'spun' })],
    });
    helper.on('agent_start', () => void heard.push('helper'));
    const lead = new Agent({
      name: 'Lead', model: world.model(calls('ask_helper', { topic: 'life' }), says('Asked.'), says('Heard.')),
      tools: [helper.asTool({
        toolName: 'ask_helper', background: true, parameters: z.object({ topic: z.string() }), inputBuilder: ({ params }) => `About ${params.topic}`,
        customOutputExtractor: ({ finalOutput }) => `It says ${(finalOutput as { answer: number }).answer}.`,
        runOptions: { context: 'delegated', maxTurns: 3 }, runConfig: { modelSettings: { temperature: 0.5 } },
      })],
    });
    const thread = world.thread(lead, { context: 'of the thread' });
    await thread.run('go');
    await second(thread);
  }, { immortal: 'it counts what the app hears, which is at least once' });
  const first = requests.find(({ input }) => textOf(input[0]) === 'About life')!;
  expect([first.systemInstructions, first.modelSettings]).toMatchObject(['For {"topic":"life"}, delegated.', { temperature: 0.5 }]);
  expect(textOf(requests.at(-1)!.input.at(-1))).toBe('[Mail from ask_helper]\nIt says 42.');
  expect(heard).toEqual(['helper']);
});

test('F5: the output of a structured agent is reported as JSON', async () => {
  const { requests } = await playThread(async (world) => {
    const answer = held(says('{"answer":42}'));
    const thread = world.thread(leadWith(world, helperOf(world, [answer.step], { outputType: z.object({ answer: z.number() }) })));
    await thread.run('go');
    answer.open();
    await second(thread);
  });
  expect(textOf(requests.at(-1)!.input.at(-1))).toBe('[Mail from ask_helper]\n{"answer":42}');
});

test('F5: what the thread says of its own model, hooks and handlers does not hold for it', async () => {
  const heard: string[] = [];
  const { requests } = await playThread(async (world) => {
    const answer = held(says('42.'));
    const helper = helperOf(world, [answer.step]);
    const model = world.model(calls('ask_helper', { input: 'What?' }), says('Asked.'), says('Heard.'));
    const lead = new Agent({ name: 'Lead', tools: [helper.asTool({ toolName: 'ask_helper', background: true })] });
    const thread = world.thread(lead, { model, stopHooks: [{ name: 'end', execute: ({ agent }) => void heard.push(agent.name) }], modelSettings: { temperature: 1 } });
    await thread.run('go');
    answer.open();
    await second(thread);
  });
  expect(requests.find(({ input }) => textOf(input[0]) === 'What?')!.modelSettings.temperature).toBeUndefined();
  expect(new Set(heard)).toEqual(new Set(['Lead']));
});

test('F5: without a thread there is nobody to bring the result to', async () => {
  const helper = new Agent({ name: 'Helper', model: scriptedModel(says('42.')) });
  const lead = new Agent({ name: 'Lead', model: scriptedModel(calls('ask_helper', { input: 'What?' }), says('No.')), tools: [helper.asTool({ toolName: 'ask_helper', background: true })] });
  await expect(run(lead, 'go')).rejects.toThrow(new UserError('The agent tool "ask_helper" works in the background, which needs a thread. Run its agent with createThread(), or leave out `background`.'));
});

test.each(['session', 'signal', 'stopSignal', 'previousResponseId', 'conversationId', 'autoPreviousResponseId'])('F5: runOptions.%s of an agent in the background is refused', (option) => {
  const helper = new Agent({ name: 'Helper', model: scriptedModel() });
  expect(() => helper.asTool({ background: true, runOptions: { [option]: 'x' } as never })).toThrow(new UserError(`runOptions.${option} cannot be used with background: true: the thread keeps what agent "Helper" does there. Leave it out.`));
});

/** Lead asks Helper beside its runs, and Helper its own tool; the same in every process. */
function team(worked: string[]) {
  const isCut = (input: readonly AgentInputItem[]) => (input.at(-1) as { role?: string }).role === 'assistant'; // what had been answered when the process died is kept (O2)
  const helperSays = answersWith(({ input }) => (isCut(input as AgentInputItem[]) ? empty() : input.length === 1 ? calls('work', {}, { callId: 'w' }) : says('42.')));
  const leadSays = answersWith(({ input }) => (isCut(input as AgentInputItem[]) ? empty() : input.length === 1 ? calls('ask_helper', { input: 'What?' }, { callId: 'a' }) : says(input.length === 3 ? 'Asked.' : 'Heard.')));
  const work = tool({ name: 'work', description: 'Works.', parameters: z.object({}), effect: 'idempotent', execute: (_input, _context, details) => (worked.push(details!.idempotencyKey!), 'done') });
  const helper = new Agent({ name: 'Helper', model: scriptedModel(loop(helperSays)), tools: [work] });
  return new Agent({ name: 'Lead', model: scriptedModel(loop(leadSays)), tools: [helper.asTool({ toolName: 'ask_helper', background: true, customOutputExtractor: ({ finalOutput }) => `It is ${finalOutput}` })] });
}

test('O1, O2: killed at every entry of the journal and opened again, it is begun once and reported once', async () => {
  const whole = await livesOf(() => team([]), { dies: () => undefined });
  expect(whole.story).toEqual(['go', 'ask_helper', 'function_call_result', 'Asked.', '[Mail from ask_helper]\nIt is 42.', 'Heard.']);
  expect(whole.entries).toBeGreaterThan(15);
  for (let at = 2; at <= whole.entries; at += 1) {
    for (const fate of ['before', 'after'] as const) {
      const worked: string[] = [];
      const { story, runs, begun } = await livesOf(() => team(worked), { dies: (written) => (written === at ? fate : undefined) });
      expect({ at, fate, story, runs, begun, keys: new Set(worked).size }).toEqual({ at, fate, story: whole.story, runs: whole.runs, begun: 1, keys: 1 });
    }
  }
});
