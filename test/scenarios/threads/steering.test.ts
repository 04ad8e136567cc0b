/** L2–L7, E6, P2 on threads: input that joins the run that is going. */
import { Agent, AgentsError, type InputGuardrail } from 'loopchart';
import { answersWith, calls, fails, hangs, responds, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';
import { fates, words } from './support/words.ts';

/** A tool that is at work until the script lets it end. */
function held(name = 'look') {
  const gate = latch();
  const tool = counted(name, async () => (await gate.promise, 'seen'));
  return { ...tool, end: () => gate.open() };
}
const withTool = (world: ThreadWorld, look: ReturnType<typeof held>, ...steps: Parameters<ThreadWorld['model']>) => new Agent({ name: 'A', model: world.model(...steps), tools: [look.tool] });
const deliveryOf = async (receipt: Awaited<ReturnType<PlayedThread['steer']>>) => (receipt.status === 'accepted' ? receipt.delivery : receipt);

test('L2: a steer never stands between a call and its result; it joins after all results of the turn', async () => {
  const { requests } = await playThread(async (world) => {
    const [slow, quick] = [held('slow'), counted('quick', 'at once')];
    const agent = new Agent({ name: 'A', model: world.model(calls(['slow', {}], ['quick', {}]), says('Done.')), tools: [slow.tool, quick.tool] });
    const thread = world.thread(agent);
    const run = thread.run('Go.');
    await thread.until((event) => event.type === 'item.completed' && event.id.endsWith('toolCall.1.1'));
    await thread.steer('Hurry.');
    slow.end();
    await run;
  });
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'slow()', 'quick()', '= seen', '= at once', 'user Hurry.']);
});

test('L2: a steer never enters a compaction prompt; it is in the first request after it', async () => {
  const { requests, value } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(withTool(world, look, calls('look'), answersWith(async () => (await thread.steer('Hurry.', { id: 'hurry' }), says('The summary.'))), says('Done.')));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    await thread.compact();
    look.end();
    await run;
    return fates(thread.told, 'hurry');
  });
  expect(requests.map(({ input }) => words(input).includes('user Hurry.'))).toEqual([false, false, true]);
  expect(value).toEqual(['delivered run.1 turn 2']);
});

test.each(['by the option of the thread', 'by the steer itself'])('L2: an instant steer, %s, cuts the answer and the model is asked again', async (how) => {
  const ofThread = how.includes('option');
  const { requests, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(hangs(2, responds(says('Half a sentence.'))), says('As you say.')) }), ofThread ? { steerMode: 'instant' } : {});
    const run = thread.run('Go.');
    await thread.until('turn.started');
    await world.clock.settle();
    await thread.steer('No.', { id: 'no', ...(!ofThread && { mode: 'instant' as const }) });
    return [(await run).finalOutput, fates(thread.told, 'no'), thread.told.some(({ type }) => type === 'turn.retracted')];
  });
  expect(value).toEqual(['As you say.', ['delivered run.1 turn 1'], true]);
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'user No.']);
});

test('L2: a thread whose steers are instant takes one that waits for a safe point', async () => {
  const { requests } = await playThread(async (world) => {
    const asked = latch();
    const go = latch();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(answersWith(async () => (asked.open(), await go.promise, says('Whole.'))), says('As you say.')) }), { steerMode: 'instant' });
    const run = thread.run('Go.');
    await asked.promise;
    await thread.steer('No.', { mode: 'safePoint' });
    go.open();
    await run;
  });
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'assistant Whole.', 'user No.']);
});

test.each(['the last model call', 'the stop hooks', 'the output guardrails'])('L3: a steer that is accepted during %s reopens the loop', async (when) => {
  const { requests, value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch()];
    const wait = async () => (asked.open(), await go.promise);
    const hook = { name: 'slow', execute: async ({ turn }: { turn: number }) => void (turn === 1 && when.includes('hooks') && (await wait())) };
    const guardrail = { name: 'slow', execute: async ({ agentOutput }: { agentOutput: unknown }) => (agentOutput === 'First.' && when.includes('guardrails') && (await wait()), { tripwireTriggered: false, outputInfo: null }) };
    const first = when.includes('model') ? answersWith(async () => (await wait(), says('First.'))) : says('First.');
    const thread = world.thread(new Agent({ name: 'A', model: world.model(first, says('Second.')), outputGuardrails: [guardrail] }), { stopHooks: [hook] });
    const run = thread.run('Go.');
    await asked.promise;
    const receipt = await thread.steer('More.', { id: 'more' });
    go.open();
    return [(await run).finalOutput, await deliveryOf(receipt)];
  });
  expect(value).toEqual(['Second.', { status: 'delivered', runId: 'thread_test/run.1', turn: 2 }]);
  expect(words(requests[1]!.input)).toEqual(['user Go.', 'assistant First.', 'user More.']);
});

test('L4: several steers at one safe point are several messages, in their order; a list of items is one steer', async () => {
  const { requests, value } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(withTool(world, look, calls('look'), says('Done.')));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    await Promise.all([thread.steer('One.', { id: 'one' }), thread.steer([{ type: 'message', role: 'user', content: 'Two.' }, { type: 'message', role: 'user', content: 'Three.' }], { id: 'two' }), thread.steer('Four.', { id: 'four' })]);
    look.end();
    await run;
    return ['one', 'two', 'four'].map((id) => fates(thread.told, id));
  });
  expect(words(requests[1]!.input).slice(-4)).toEqual(['user One.', 'user Two.', 'user Three.', 'user Four.']);
  expect(value).toEqual([['delivered run.1 turn 2'], ['delivered run.1 turn 2'], ['delivered run.1 turn 2']]);
});

const REFUSED: [what: string, reason: string, message: RegExp, reach: (world: ThreadWorld) => Promise<Awaited<ReturnType<PlayedThread['steer']>>>][] = [
  ['while no run is going', 'noRun', /no run .* thread\.run\(\)/, async (world) => world.thread(new Agent({ name: 'A', model: world.model() })).steer('Hello?')],
  ['for another run', 'stale', /expectedRunId.* thread\.activeRun/, async (world) => {
    const look = held();
    const thread = world.thread(withTool(world, look, calls('look'), says('Done.')));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    const receipt = await thread.steer('Hello?', { expectedRunId: 'thread_test/run.9' });
    look.end();
    await run;
    return receipt;
  }],
  ['without words', 'empty', /needs text or items/, async (world) => world.thread(new Agent({ name: 'A', model: world.model() })).steer('')],
  ['into a compaction that was asked for', 'compacting', /summed up.* Queue the input/, async (world) => {
    const [asked, go] = [latch(), latch()];
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('First.'), answersWith(async () => (asked.open(), await go.promise, says('The summary.')))) }));
    await thread.run('Go.');
    await thread.compact();
    await asked.promise;
    const receipt = await thread.steer('Hello?');
    go.open();
    await thread.until((event) => event.type === 'thread.changed' && event.state === 'idle' && (event.number as number) > 12);
    return receipt;
  }],
  ['to a path where nothing is at work', 'unknownPath', /Nothing is at work/, async (world) => {
    const look = held();
    const thread = world.thread(withTool(world, look, calls('look'), says('Done.')));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    const receipt = await thread.steer('Hello?', { path: 'thread_test/background.1' });
    look.end();
    await run;
    return receipt;
  }],
];
test.each(REFUSED)('L5: a steer %s is refused as %s, and its message says what to do', async (_what, reason, message, reach) => {
  const { value, requests } = await playThread(reach);
  expect(value).toMatchObject({ status: 'rejected', reason, message: expect.stringMatching(message) });
  expect(requests.flatMap(({ input }) => words(input))).not.toContain('user Hello?');
});

test.each([['failed', fails({ status: 400 })], ['interrupted', hangs()]] as const)('P2: a run that %s gives back what it had not read: on its error, with an event, and in the receipt', async (status, step) => {
  const { value, seen } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(withTool(world, look, calls('look'), step), { maxTurns: status === 'failed' ? 1 : 5 });
    const run = thread.run('Go.');
    const ending = run.result.catch((error: unknown) => error);
    await thread.until('tool.started');
    const receipt = await thread.steer('Hurry.', { id: 'hurry' });
    if (status === 'interrupted') {
      const stopped = thread.interrupt();
      await world.clock.runAll();
      await stopped;
    } else look.end();
    const error = (await ending) as AgentsError;
    return [error.undelivered && words(error.undelivered), Object.keys(error).includes('undelivered'), fates(thread.told, 'hurry'), await deliveryOf(receipt)];
  });
  expect(value).toEqual([['user Hurry.'], false, [`dropped: ${status}`], { status: 'dropped', reason: status }]);
  expect([seen.runs, seen.state, words(seen.history).includes('user Hurry.')]).toEqual([[`run.1 from command: ${status}`], 'paused', false]);
});

test('P2, A3: a run that is at its limit completes with the answer it has, and the result has what it did not read', async () => {
  const { value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch()];
    const thread = world.thread(new Agent({ name: 'A', model: world.model(answersWith(async () => (asked.open(), await go.promise, says('Done.')))) }), { maxTurns: 1 });
    const run = thread.run('Go.');
    await asked.promise;
    const receipt = await thread.steer('More.');
    go.open();
    const { finalOutput, undelivered } = await run;
    return [finalOutput, words(undelivered), await deliveryOf(receipt)];
  });
  expect(value).toEqual(['Done.', ['user More.'], { status: 'dropped', reason: 'limit' }]);
});

test('P2: a run that is stopped keeps what it had not read for the next one, whose delivery the receipt tells', async () => {
  const { value, requests } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(withTool(world, look, calls('look'), says('Done.')));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    await thread.stopAfterTurn();
    const receipt = await thread.steer('Hurry.', { id: 'hurry' });
    look.end();
    const { status, undelivered } = await run;
    await thread.run('On.');
    return [status, words(undelivered), fates(thread.told, 'hurry'), await deliveryOf(receipt)];
  });
  expect(value).toEqual(['stopped', ['user Hurry.'], ['delivered run.2 turn 1'], { status: 'delivered', runId: 'thread_test/run.2', turn: 1 }]);
  expect(words(requests[1]!.input).slice(-2)).toEqual(['user Hurry.', 'user On.']);
});

// -- guardrails on what joins -----------------------------------------------------------------------------------------

const noSecrets: InputGuardrail = { name: 'noSecrets', runInParallel: false, execute: async ({ input }) => ({ tripwireTriggered: JSON.stringify(input).includes('secret'), outputInfo: 'a secret' }) };

test('E1, E2: a run whose initial input trips leaves nothing in the history, be the guardrail before the model or beside it', async () => {
  for (const runInParallel of [false, true]) {
    const { seen, value } = await playThread(async (world) => {
      const thread = world.thread(new Agent({ name: 'A', model: world.model(...(runInParallel ? [says('Told.')] : []), says('Clean.')), inputGuardrails: [{ ...noSecrets, runInParallel }] }));
      const { name } = (await thread.run('The secret.').result.catch((error: unknown) => error)) as Error;
      const between = [name, thread.state, thread.look.history.length];
      await thread.run('Go on.');
      return between;
    });
    expect(value).toEqual(['InputGuardrailTripwireTriggered', 'paused', 0]);
    expect(words(seen.history)).toEqual(['user Go on.', 'assistant Clean.']);
  }
});

test('E6: a steer, and mail, on which a guardrail trips are dropped, as the receipt says; the rest joins', async () => {
  const { value, requests } = await playThread(async (world) => {
    const look = held();
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [look.tool], inputGuardrails: [noSecrets] }));
    const run = thread.run('Go.');
    await thread.until('tool.started');
    const receipt = await thread.steer('The secret.', { id: 'bad' });
    await thread.steer('Fine.', { id: 'fine' });
    await thread.mail({ id: 'mail', from: 'host', content: 'Another secret.' });
    look.end();
    await run;
    return [await deliveryOf(receipt), ...['bad', 'fine', 'mail'].map((id) => fates(thread.told, id)), thread.look.mailbox];
  });
  expect(value).toEqual([{ status: 'dropped', reason: 'guardrail' }, ['dropped: guardrail'], ['delivered run.1 turn 2'], ['dropped: guardrail'], []]);
  expect(words(requests[1]!.input).slice(3)).toEqual(['user Fine.']);
});
