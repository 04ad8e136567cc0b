/** D1–D8 on threads: what a person is asked, and says. */
import { Agent, StaleStateError, UserError, askUser, tool } from 'loopchart';
import { calls, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';
import { states, words } from './support/words.ts';

const refused = (what: Promise<unknown>) => what.then(() => 'done', (error: Error) => `${error.name}: ${error.message}`);
const results = ({ look }: PlayedThread) => words(look.history).filter((line) => line.startsWith('='));
const agentThat = (world: ThreadWorld, ...steps: Parameters<ThreadWorld['model']>) => new Agent({ name: 'A', model: world.model(...steps), tools: [refund, askUser] });
async function waiting(thread: PlayedThread): Promise<void> {
  await thread.until('run.awaitingApproval');
}

test.each(['by its item', 'by its id'])('D1, D2: a call that waits is approved %s; the thread says what it is at', async (how) => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls('refund', { order: 1 }), says('Done.')));
    const run = thread.run('Go.');
    await waiting(thread);
    const [item] = thread.interruptions;
    const shown = [item!.id, item!.name, item!.arguments, item!.path, thread.look.phase];
    await thread.approve(how === 'by its id' ? item!.id : item!);
    await run;
    return [shown, results(thread), thread.interruptions, states(thread.told)];
  });
  expect(value).toEqual([
    ['thread_test/run.1/agent.1/turn.1/toolCall.1.0/approval#1', 'refund', '{"order":1}', ['thread_test/run.1/agent.1/turn.1/toolCall.1.0'], 'awaitingApproval'],
    ['= refunded 1'],
    [],
    ['idle', 'running', 'awaitingApproval', 'running', 'idle'],
  ]);
});

test('D2: approved with other arguments, they are checked, and the result says what was changed; a call keeps what the model wrote', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')));
    const run = thread.run('Go.');
    await waiting(thread);
    const [one, two] = thread.interruptions;
    await thread.approve(one!, { arguments: { order: 10 } });
    await thread.approve(two!, { arguments: '{"order":"two"}' });
    await run;
    return results(thread);
  });
  expect(value).toEqual([expect.stringMatching(/refunded 10/), expect.stringMatching(/^= An error occurred while running the tool/)]);
  expect(seen.history.flatMap((item) => (item.type === 'function_call' ? [item.arguments] : []))).toEqual(['{"order":1}', '{"order":2}']);
});

test('D2: a rejection has its message, or says that the call was not approved', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')));
    const run = thread.run('Go.');
    await waiting(thread);
    for (const [at, item] of thread.interruptions.entries()) await thread.reject(item, at === 0 ? { message: 'Ask Ada.' } : {});
    await run;
    return results(thread);
  });
  expect(value).toEqual(['= Ask Ada.', expect.stringMatching(/not approved/i)]);
});

test('D2: cancel is a rejection and an interrupt, both in one step of the journal', async () => {
  const { value, seen } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }])));
    const ended = refused(thread.run('Go.').result);
    await waiting(thread);
    const told = thread.told.length;
    await thread.reject(thread.interruptions[0]!, { message: 'No.', interrupt: true });
    const step = thread.told.slice(told).filter(({ type }) => type === 'approval.resolved' || type === 'run.settled').map((event) => ('decision' in event ? event.decision : event.type));
    return [step, await ended, new Set(thread.told.slice(told).map(({ at }) => at)).size, results(thread)];
  });
  expect(value).toEqual([['reject', 'withdrawn', 'run.settled'], 'AbortError: The run was interrupted.', 1, ['= No.', expect.stringMatching(/^= aborted/)]]);
  expect(seen.state).toBe('paused');
});

test('D2: cancel about a call of an agent in the background ends that agent, and not the run', async () => {
  const { value, seen } = await playThread(async (world) => {
    const helper = agentThat(world, calls('refund', { order: 1 }), says('never'));
    const boss = new Agent({ name: 'Boss', model: world.model(calls('helper', { input: 'Refund.' }), calls('refund', { order: 2 }), says('Done.')), tools: [refund, helper.asTool({ toolName: 'helper', toolDescription: 'Helps.', background: true })] });
    const thread = world.thread(boss);
    const run = thread.run('Go.');
    await thread.until((event) => event.type === 'approval.requested' && event.path.includes('/run.1/'));
    await thread.until((event) => event.type === 'approval.requested' && event.path.includes('/background.1/'));
    await thread.reject(thread.interruptions.find(({ id }) => id.includes('/background.1/'))!, { interrupt: true });
    await thread.approve(thread.interruptions[0]!);
    return [(await run).finalOutput, thread.told.flatMap((event) => (event.type === 'run.settled' ? [`${event.path.split('/')[1]} ${event.outcome.status}`] : []))];
  });
  expect(value).toEqual(['Done.', ['background.1 interrupted', 'run.1 completed']]);
  expect(seen.runs).toEqual(['run.1 from command: completed']);
});

test('D4: an unknown id and one that is settled are told apart, and change nothing', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls('refund', { order: 1 }), says('Done.'), calls('refund', { order: 2 })));
    const unknown = await thread.approve('thread_test/run.7/agent.1/turn.1/toolCall.1.0/approval#1').catch((error: unknown) => error);
    const run = thread.run('Go.');
    await waiting(thread);
    const [item] = thread.interruptions;
    await thread.approve(item!);
    const settled = await thread.reject(item!).catch((error: unknown) => error);
    await run;
    void thread.run('Again.');
    await thread.until((event) => event.type === 'run.awaitingApproval' && event.path.endsWith('run.2'));
    const [second] = thread.interruptions;
    await thread.interrupt();
    const withdrawn = await thread.approve(second!).catch((error: unknown) => error);
    return [unknown, settled, withdrawn].map((error) => [error instanceof StaleStateError, error instanceof UserError, (error as Error).message]);
  });
  expect(value).toEqual([
    [false, true, expect.stringMatching(/^No call .* waits in thread thread_test/)],
    [true, expect.any(Boolean), expect.stringMatching(/does not wait any more.*Nothing was changed/)],
    [true, expect.any(Boolean), expect.stringMatching(/does not wait any more.*Nothing was changed/)],
  ]);
});

test('D4: a decision for a call that is announced but does not wait yet is kept for it', async () => {
  const { value } = await playThread(async (world) => {
    const [asked, go] = [latch(), latch<boolean>()];
    const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: () => (asked.open(), go.promise), execute: () => 'paid' });
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('pay'), says('Done.')), tools: [pay] }));
    const run = thread.run('Go.');
    await asked.promise;
    await thread.approve('thread_test/run.1/agent.1/turn.1/toolCall.1.0/approval#1');
    go.open(true);
    await run;
    return [results(thread), thread.interruptions.length];
  });
  expect(value).toEqual([['= paid'], 0]);
});

test('D5: some of several are decided, and the rest waits on', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')));
    const run = thread.run('Go.');
    await waiting(thread);
    const [one] = thread.interruptions;
    await thread.approve(one!);
    await world.clock.settle();
    const rest = [thread.interruptions.length, thread.look.phase];
    await thread.approve(thread.interruptions[0]!);
    await run;
    return rest;
  });
  expect(value).toEqual([1, 'awaitingApproval']);
});

test('D8: questions are answered; answers that do not fit are refused, and the call waits on', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(agentThat(world, calls('ask_user', { questions: [{ question: 'Which colour?' }] }), says('Blue, then.')));
    const run = thread.run('Go.');
    await waiting(thread);
    const [item] = thread.interruptions;
    const wrong = [await refused(thread.answer(item!, { question_9: 'blue' })), await refused(thread.approve(item!))];
    const still = thread.interruptions.length;
    await thread.answer(item!, { question_1: 'blue' });
    return [wrong, still, (await run).finalOutput, results(thread)];
  });
  expect(value).toEqual([[expect.stringMatching(/^UserError/), expect.stringMatching(/^UserError: .*asks a question/)], 1, 'Blue, then.', [expect.stringContaining('blue')]]);
});

test.each(['while the thread is open', 'in another process', 'while no process had it'])('D7: a call that nobody decides about in time is rejected %s', async (where) => {
  const { value } = await playThread(async (world) => {
    let thread: PlayedThread = world.thread(agentThat(world, calls('refund', { order: 1 }), says('Never mind.')), { approvalExpiresAfterMs: 1_000 });
    void thread.run('Go.');
    await waiting(thread);
    const { expiresAt } = thread.interruptions[0]!;
    if (where.includes('no process')) {
      world.clock.advance(5_000).catch(() => undefined);
    }
    if (where !== 'while the thread is open') thread = await world.reopen(thread);
    await world.clock.advance(where.includes('no process') ? 0 : 1_000);
    await thread.until('run.settled');
    return [expiresAt! - world.clock.now() <= 0, results(thread), thread.told.some((event) => event.type === 'approval.resolved' && event.decision === 'expired')];
  });
  expect(value).toEqual([true, [expect.stringMatching(/Nobody decided within 1 s/)], true]);
});

test('D6: nothing that needs approval runs without one, in whichever process; an approval holds where its process died right after', async () => {
  const { value } = await playThread(async (world) => {
    let refunds = 0;
    const once = tool({ name: 'refund', description: 'Refunds.', parameters: z.object({ order: z.number() }), needsApproval: true, effect: 'irreversible', execute: () => `refunded, ${(refunds += 1)} time` });
    let thread: PlayedThread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), says('Done.'), says('Done.')), tools: [once] }));
    void thread.run('Go.');
    await waiting(thread);
    thread = await world.reopen(thread);
    const before = [refunds, thread.look.phase];
    await thread.approve(thread.interruptions[0]!);
    await thread.until('run.settled');
    return [before, refunds];
  });
  expect(value).toEqual([[0, 'awaitingApproval'], 1]);
});
