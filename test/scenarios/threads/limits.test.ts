/** B1-B4, C4, C6, C9, K1, K2, L2 on threads: their defaults for long work, and their options. */
import { Agent, type AgentInputItem, MaxTurnsExceededError, type Tool } from 'loopchart';
import { calls, cuts, delays, fails, hangs, repeat, responds, says, scriptedModel, user, type Step } from 'loopchart/testing';
import { type ThreadOptions, createThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { RETRY_BY_DEFAULT } from '../../../actors/retryPolicies.ts';
import { used } from '../compaction/support.ts';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';

const workerOf = (world: ThreadWorld, steps: Step[], tools: Tool<any>[] = [], more: Partial<ConstructorParameters<typeof Agent>[0]> = {}) => new Agent({ name: 'Worker', model: world.model(...steps), tools, ...more });
const FINISH = user('Most of what this run may cost is spent. Begin nothing new: finish with what you have, and say what is left undone.');
const failureOf = (thread: PlayedThread, input = 'go') => thread.run(input).result.then(() => undefined, (error: unknown) => error);
const textOf = (item: AgentInputItem | undefined) => (item && 'content' in item ? item.content : undefined);
const count = (thread: PlayedThread, type: string) => thread.told.filter((event) => event.type === type).length;
/** Looks like a run: each call is another. */
const steps = (many: number): Step[] => Array.from({ length: many }, (_, at) => calls('look', { at }));
const lookAt = () => counted('look', 'seen', {});

test('B1: a run of a thread has a hundred turns; a limit given for it or for the thread is its own', async () => {
  const look = lookAt();
  const model = scriptedModel(...steps(100), ...steps(2), ...steps(1));
  const worker = new Agent({ name: 'Worker', model, tools: [look.tool] });
  const thread = createThread(worker, { stuckDetection: false });
  await expect(thread.run('go').result).rejects.toThrow(MaxTurnsExceededError);
  expect(look.runs).toBe(100);
  await expect(thread.run('again', { maxTurns: 2 }).result).rejects.toThrow(MaxTurnsExceededError);
  await expect(createThread(worker, { maxTurns: 1 }).run('go').result).rejects.toThrow(MaxTurnsExceededError);
  expect(model.requests.length).toBe(103);
});

test('B1: with finalTurn the last turn has no tools, and its text is the answer', async () => {
  const { value, requests } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [calls('look'), says('As far as I came.'), calls('look'), says('No more.')], [lookAt().tool]), { maxTurns: 1, finalTurn: true });
    const { how, finalOutput } = await thread.run('go');
    const second = await thread.run('go on', { finalTurn: true });
    return [how, finalOutput, second.finalOutput];
  });
  expect([value, requests[1]!.tools]).toEqual([['lastTurn', 'As far as I came.', 'No more.'], []]);
});

test('B3: an agent that does the same again is told once, and fails when it goes on; the thread is paused', async () => {
  const { value, seen, requests } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [repeat(6, calls('look')), says('I see.')], [lookAt().tool]));
    const error = (await failureOf(thread)) as Error;
    const paused = thread.state;
    return [error.name, paused, (await thread.run('Think.')).finalOutput];
  });
  expect(value).toEqual(['ModelBehaviorError', 'paused', 'I see.']);
  expect(requests.map(({ input }) => input.filter((item) => (textOf(item as AgentInputItem) as string | undefined)?.includes?.('the same')).length)).toContain(1);
  expect(seen.runs.at(-1)).toBe('run.2 from command: completed');
});

test('C6: a long result is shortened to 40,000 bytes for the model', async () => {
  const model = scriptedModel(calls('long'), says('Long.'));
  await createThread(new Agent({ name: 'Worker', model, tools: [counted('long', 'x'.repeat(90_000)).tool] })).run('go');
  const { output } = (model.requests[1]!.input as AgentInputItem[]).at(-1) as { output: { text: string } }; // the result of the call
  expect([output.text.length > 39_000, output.text.length <= 40_000]).toEqual([true, true]);
});

test.each<[string, Partial<ThreadOptions<any>>, string[]]>([
  ['B2: soft', { budget: { tokens: 12_000, softRatio: 0.1 } }, ['completed', 'completed']],
  ['B2: hard', { budget: { tokens: 2_500 } }, ['failed', 'completed']],
  ['B2: tool calls', { budget: { toolCalls: 0 } }, ['completed', 'completed']],
])('%s limits are those of each run', async (_what, options, statuses) => {
  const { seen, requests } = await playThread(async (world) => {
    const model = [calls('look', {}, used(2_000)), says('Done.', used(100)), calls('look', {}, used(2_000)), says('Done again.', used(100))];
    const thread = world.thread(workerOf(world, model, [lookAt().tool]), options);
    await failureOf(thread);
    await failureOf(thread);
  });
  expect(seen.runs).toEqual(statuses.map((status, at) => `run.${at + 1} from command: ${status}`));
  const told = requests.filter(({ input }) => input.some((item) => textOf(item as AgentInputItem) === FINISH.content)).length;
  expect(told > 0).toBe('softRatio' in options.budget! || options.budget!.toolCalls === 0);
});

test('B2, O6: a hard deadline ends the run; what was left when the process died is left in the next', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [hangs(), hangs()]), { budget: { wallTimeMs: 10_000, hardDeadline: true } });
    const going = thread.run('go');
    going.result.catch(() => undefined);
    await thread.until('turn.started');
    await world.clock.advance(6_000);
    const again = await world.reopen(thread);
    await world.clock.advance(3_999);
    const before = again.look.phase;
    const handle = again.activeRun!;
    await world.clock.advance(1);
    return [before, again.state, await handle.result.then(() => undefined, (error: Error) => error.name)];
  });
  expect(value).toEqual(['running', 'paused', 'BudgetExceededError']);
  expect(seen.runs).toEqual(['run.1 from command: interrupted']);
});

test('B2, O6: a deadline that is over when the thread is opened ends the run at once', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [hangs(), says('Too late.')]), { budget: { wallTimeMs: 10_000, hardDeadline: true } });
    thread.run('go').result.catch(() => undefined);
    await thread.until('turn.started');
    await world.clock.settle();
    const again = await world.reopen(thread, undefined, undefined, 20_000);
    await world.clock.settle();
    expect(again.state).toBe('paused');
  });
  expect([seen.runs, requests.length]).toEqual([['run.1 from command: interrupted'], 1]);
});

test('B2: each run has its own time; one that is interrupted leaves no timer', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [delays(8_000, says('One.'), world.clock), delays(8_000, says('Two.'), world.clock)]), { budget: { wallTimeMs: 10_000, hardDeadline: true } });
    const one = thread.run('go');
    const two = thread.run('more');
    await thread.until('turn.started');
    await world.clock.advance(8_000);
    await one;
    await world.clock.advance(8_000);
    return (await two).finalOutput;
  }, { immortal: 'an answer that is asked for again takes its time again' });
  expect(value).toBe('Two.');
});

test('C9: with oneCallPerTurn the first call of a response runs', async () => {
  const { value } = await playThread(async (world) => {
    const look = lookAt();
    await world.thread(workerOf(world, [calls(['look', {}], ['look', {}]), says('Done.')], [look.tool]), { oneCallPerTurn: true }).run('go');
    return look.runs;
  });
  expect(value).toBe(1);
});

test('C4: with toolStart eager a call begins while the model streams', async () => {
  const { value } = await playThread(async (world) => {
    const look = lookAt();
    const thread = world.thread(workerOf(world, [hangs(2, responds(calls('look'), says('On it.')))], [look.tool]), { toolStart: 'eager' });
    const going = thread.run('go');
    going.result.catch(() => undefined);
    await thread.until('item.completed');
    const streaming = [look.runs, count(thread, 'turn.responded')];
    await thread.interrupt();
    return streaming;
  });
  expect(value).toEqual([1, 0]);
});

test('L2: with steerMode instant a steer cuts the answer; one steer may say otherwise', async () => {
  const { value, requests } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [hangs(4, responds(says('First.'), says('Half a sentence.'))), says('As you say.'), says('Later.')]), { steerMode: 'instant' });
    const going = thread.run('go');
    await thread.until('turn.started');
    await world.clock.settle();
    const first = await thread.steer('No, stop.');
    await thread.until((event) => event.type === 'turn.started' && event.path.endsWith('turn.1.1'));
    const second = await thread.steer('When there is time.', { mode: 'safePoint' });
    await going;
    return Promise.all([first, second].map((receipt) => (receipt.status === 'accepted' ? receipt.delivery : receipt)));
  });
  expect(value.map(({ status }) => status)).toEqual(['delivered', 'delivered']);
  expect(requests.map(({ input }) => textOf(input.at(-1) as AgentInputItem))).toEqual(['go', 'No, stop.', 'When there is time.']);
});

test('K1: 408 and 5xx are tried twice more, in a state that can be seen; an interrupt ends the wait', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [fails({ status: 503, retryAfterMs: 1_000 }), fails({ status: 408, retryAfterMs: 1_000 }), says('There.'), fails({ status: 500, retryAfterMs: 1_000 })]));
    const going = thread.run('go');
    await world.clock.runAll();
    const { finalOutput } = await going;
    const second = thread.run('more');
    second.result.catch(() => undefined);
    await thread.until((event) => event.type === 'turn.retrying' && event.path.includes('run.2'));
    const receipt = await thread.interrupt();
    return [finalOutput, count(thread, 'turn.retrying'), receipt.status, world.clock.pending.length];
  });
  expect(value).toEqual(['There.', 3, 'accepted', 0]);
  expect(seen.usage.requests).toBe(4);
});

test('K1, O6: the rest of a wait is waited in another process', async () => {
  const { value, requests } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [fails({ status: 503, retryAfterMs: 5_000 }), says('There.')]));
    thread.run('go').result.catch(() => undefined);
    await thread.until('turn.retrying');
    await world.clock.advance(3_000);
    const again = await world.reopen(thread);
    await world.clock.advance(1_999);
    const before = again.look.phase;
    await world.clock.advance(1);
    return [before, again.state];
  });
  expect([value, requests.length]).toEqual([['running', 'idle'], 2]);
});

test('K2: a stream that breaks off keeps what was complete; a tool that ran is not run again', async () => {
  const { value, requests, seen } = await playThread(async (world) => {
    const look = lookAt();
    const gate = latch();
    const steps = [cuts(3, responds(calls('look'), says('Never.'))), says('There.'), cuts(4, responds(says('First.'), says('Second half.'))), says('Second.')];
    const thread = world.thread(workerOf(world, steps, [look.tool]), { toolStart: 'eager', modelSettings: { retry: { ...RETRY_BY_DEFAULT, backoff: { jitter: false } } } });
    const going = thread.run('go');
    gate.open();
    await world.clock.settle();
    await world.clock.runAll();
    const one = await going;
    const next = thread.run('more');
    await world.clock.settle();
    await world.clock.runAll();
    await next;
    return [one.finalOutput, look.runs];
  });
  expect(value).toEqual(['There.', 1]);
  expect(requests.map(({ input }) => input.length)).toEqual([1, 3, 5, 6]);
  expect(seen.history.map((item) => ('role' in item ? item.role : item.type))).toEqual(['user', 'function_call', 'function_call_result', 'assistant', 'user', 'assistant', 'assistant']);
});

test('K1: after the third failure the run fails and the thread is paused; the next run goes on with the same input', async () => {
  const { value, seen, requests } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [repeat(3, fails({ status: 503, retryAfterMs: 1_000 })), says('There.')]));
    const failing = failureOf(thread);
    await world.clock.settle();
    await world.clock.runAll();
    const error = (await failing) as Error;
    const { finalOutput } = await thread.run('');
    return [error instanceof Error, finalOutput];
  });
  expect(value).toEqual([true, 'There.']);
  expect([seen.runs, requests.at(-1)!.input]).toEqual([['run.1 from command: failed', 'run.2 from command: completed'], [user('go')]]);
});

test('B4, D1: time that a person takes counts for no deadline that is soft', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(workerOf(world, [calls('refund', { order: 7 }), says('Paid.')], [refund]), { budget: { wallTimeMs: 1_000_000 } });
    const going = thread.run('go');
    await thread.until('run.awaitingApproval');
    await world.clock.advance(900_000);
    await thread.approve(thread.interruptions[0]!);
    return (await going).finalOutput;
  });
  expect(value).toBe('Paid.');
});
