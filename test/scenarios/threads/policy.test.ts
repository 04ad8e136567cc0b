/** M7, M8, D2 on threads: what one run does otherwise, and rules about calls to come. */
import { Agent, BudgetExceededError, MemoryJournal, tool } from 'loopchart';
import { calls, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { type RunOverrides, type Thread, createThread, openThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';
import { words } from './support/words.ts';

const refused = (what: Promise<unknown>) => what.then(() => 'done', (error: Error) => `${error.name}: ${error.message}`);
const outputs = ({ look }: Thread) => words(look.history).filter((line) => line.startsWith('='));

// -- M7 ---------------------------------------------------------------------------------------------------------------

test('M7: model, settings, instructions and tools hold for the run that was given them, and for that run only', async () => {
  const extra = counted('extra').tool;
  const { requests } = await playThread(async (world) => {
    const model = world.model(says('One.'), says('Two.'));
    const asked: string[] = [];
    const agent = new Agent({ name: 'A', model: 'usual', instructions: 'Be kind.', modelSettings: { temperature: 0.5 }, tools: [counted('look').tool] });
    const { Runner } = await import('loopchart');
    const runner = new Runner({ modelProvider: { getModel: (name) => (asked.push(String(name)), model) } });
    const thread = world.thread(agent, { runner, tools: [extra] });
    await thread.run('First.', { model: 'special', modelSettings: { temperature: 0 }, instructions: 'Be brief.', tools: ['extra'] });
    await thread.run('Second.');
    expect([...new Set(asked)]).toEqual(['special', 'usual']);
  });
  expect(requests.map(({ systemInstructions, modelSettings, tools }) => [systemInstructions, modelSettings.temperature, tools.map((one) => 'name' in one && one.name)])).toEqual([
    ['Be brief.', 0, ['extra']],
    ['Be kind.', 0.5, ['look']],
  ]);
});

test('M7: an agent that is named for one run leaves the floor to whom it belonged', async () => {
  const { value } = await playThread(async (world) => {
    const other = new Agent({ name: 'Other', model: world.model(says('Other here.')) });
    const thread = world.thread(new Agent({ name: 'First', model: world.model(says('First here.')) }), { agents: [other] });
    const one = await thread.run('Who?', { agent: 'Other' });
    const floor = thread.look.agent;
    return [one.lastAgent?.name, one.finalOutput, floor, (await thread.run('And now?')).finalOutput];
  });
  expect(value).toEqual(['Other', 'Other here.', 'First', 'First here.']);
});

test('M7: limits of one run: its turns, its last turn, its budget', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), calls('look'), says('In time.'), says('Any time.')), tools: [counted('look').tool] }));
    const turns = await refused(thread.run('One.', { maxTurns: 1 }).result);
    const { finalOutput, how } = await thread.run('Two.', { maxTurns: 1, finalTurn: true });
    const budget = await thread.run('Three.', { budget: { tokens: 1 } }).result.catch((error: unknown) => error instanceof BudgetExceededError && error.kind);
    return [turns, [finalOutput, how], budget, (await thread.run('Four.')).finalOutput];
  });
  expect(value).toEqual([expect.stringMatching(/^MaxTurnsExceededError/), ['In time.', 'lastTurn'], 'tokens', 'Any time.']);
});

test('M7, M8: rules of one run come before those of its thread; what is said for always meanwhile comes before both, and holds on', async () => {
  const { value } = await playThread(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), calls('refund', { order: 2 }), says('One.'), calls('refund', { order: 3 }), says('Two.'), calls('refund', { order: 4 }), says('Three.')), tools: [refund] });
    const thread = world.thread(agent, { rules: [{ id: 'free', tool: 'refund', decision: 'allow' }] });
    const first = thread.run('First.', { approvalPolicy: { rules: [{ tool: 'refund', decision: 'ask' }] } });
    await thread.until('run.awaitingApproval');
    const asked = thread.interruptions.map(({ arguments: args }) => args);
    await thread.approve(thread.interruptions[0]!, { always: true });
    await first;
    await thread.run('Second.');
    await thread.run('Third.', { approvalPolicy: { rules: [{ tool: 'refund', decision: 'deny', reason: 'Not today.' }] } });
    return [asked, outputs(thread)];
  });
  expect(value).toEqual([['{"order":1}'], ['= refunded 1', '= refunded 2', '= refunded 3', expect.stringContaining('Not today.')]]);
});

test('M7, O1: what a queued run is to do otherwise is there after its process has died', async () => {
  const { requests } = await playThread(async (world) => {
    const agent = new Agent({ name: 'A', instructions: 'Be kind.', model: world.model(calls('refund', { order: 1 }), says('One.'), says('Two.')), tools: [refund] });
    let thread: PlayedThread = world.thread(agent);
    void thread.run('First.');
    await thread.until('run.awaitingApproval');
    await thread.queue.add('Second.', { instructions: 'Be brief.', maxTurns: 3 }).receipt;
    thread = await world.reopen(thread);
    await thread.approve(thread.interruptions[0]!);
    await thread.until((event) => event.type === 'run.settled' && event.path.endsWith('run.2'));
  });
  expect(requests.map(({ systemInstructions }) => systemInstructions)).toEqual(['Be kind.', 'Be kind.', 'Be brief.']);
});

test('M7: a run that goes on where a stopped one was has what that one was given for its unfinished turn', async () => {
  const { value } = await playThread(async (world) => {
    const other = new Agent({ name: 'Other', model: world.model(calls('refund', { order: 1 }), says('Refunded.')), tools: [refund] });
    const thread = world.thread(new Agent({ name: 'First', model: world.model(says('First here.')) }), { agents: [other] });
    void thread.run('Refund it.', { agent: 'Other' });
    await thread.until('run.awaitingApproval');
    await thread.stopAfterTurn();
    const next = thread.run('Go on.');
    await thread.until((event) => event.type === 'approval.requested' && event.path.includes('/run.2/'));
    await thread.approve(thread.interruptions[0]!);
    const { finalOutput, lastAgent } = await next;
    return [finalOutput, lastAgent?.name, thread.look.agent];
  });
  expect(value).toEqual(['Refunded.', 'Other', 'First']);
});

const look = counted('look').tool;
const WRONG: [what: string, overrides: RunOverrides, message: RegExp][] = [
  ['an unknown agent', { agent: 'Nobody' }, /there is no agent "Nobody" in this thread, it has "A"; .*`agents`/],
  ['an unknown tool', { tools: ['look', 'fly'] }, /there is no tool "fly" in this thread, it has "look"; .*`tools`/],
  ['tools that are no names', { tools: [look] as never }, /`tools` is a list of names/],
  ['a policy of another shape', { approvalPolicy: { rules: [{ tool: 'look', decision: 'maybe' }] } }, /The decision of the approval rule "rule\.1" must be allow, ask, deny/],
  ['a budget that means nothing', { budget: { tokens: -1 } }, /tokens has to be a number of at least 0/],
  ['turns that cannot be counted', { maxTurns: 1.5 }, /`maxTurns` is a whole number of at least 0, or null/],
  ['instructions that cannot be recorded', { instructions: (() => 'x') as never }, /`instructions` is a text/],
  ['a model that is no name', { model: scriptedModel() as never }, /`model` is the name of a model/],
  ['settings that are none', { modelSettings: 'warm' as never }, /`modelSettings` is an object/],
  ['a last turn that is neither', { finalTurn: 'yes' as never }, /`finalTurn` is true or false/],
];

test.each(WRONG)('M7: %s is refused before anything is recorded, in words that say what is right', async (_what, overrides, message) => {
  const journal = new MemoryJournal();
  const thread = createThread(new Agent({ name: 'A', model: scriptedModel(says('Done.')), tools: [look] }), { journal, clock: virtualClock(), threadId: 'thread_test' });
  await thread.queue.add('Queued.', { id: 'queued' }).result; // a run that has been
  const before = journal.read('thread_test').length;
  for (const said of [thread.run('Go.', overrides).result, thread.run('Go.', overrides).receipt, thread.queue.add('Go.', overrides).started, thread.queue.edit('queued', overrides)]) expect(await refused(said)).toMatch(message);
  expect([journal.read('thread_test').length, thread.state, thread.look.runs.length]).toEqual([before, 'idle', 1]);
});

// -- M8 ---------------------------------------------------------------------------------------------------------------

const paying = (world: ThreadWorld, ...orders: number[]) =>
  new Agent({ name: 'A', model: world.model(calls(...orders.map((order): ['refund', { order: number }] => ['refund', { order }])), says('Done.'), calls('refund', { order: 9 }), says('Again.')), tools: [refund] });

test('M8, D2: an approval for always adds a rule that can be seen, in the same step, and other calls that wait and are covered by it are answered', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(paying(world, 1, 2, 3));
    const run = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    const told = thread.told.length;
    await thread.approve(thread.interruptions[1]!, { always: true });
    const step = thread.told.slice(told).flatMap((event) => (event.type === 'approval.resolved' || event.type === 'rules.changed' ? [event.type] : []));
    await run;
    return [step, outputs(thread), thread.look.rules.map(({ tool: name, agent, decision }) => ({ name, agent, decision }))];
  });
  expect(value).toEqual([
    ['approval.resolved', 'rules.changed', 'approval.resolved', 'approval.resolved'],
    ['= refunded 1', '= refunded 2', '= refunded 3'],
    [{ name: 'refund', agent: 'A', decision: 'allow' }],
  ]);
});

test('M8: a rule that is removed holds no longer, from the next call on', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(paying(world, 1));
    const run = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await thread.approve(thread.interruptions[0]!, { always: true });
    await run;
    const { status } = await thread.removeRule(thread.look.rules[0]!.id);
    void thread.run('Again.');
    await thread.until((event) => event.type === 'run.awaitingApproval' && event.path.endsWith('run.2'));
    return [status, thread.look.rules, thread.interruptions.length];
  });
  expect(value).toEqual(['accepted', [], 1]);
});

test('M8: a rejection for always denies calls to come, with its reason', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(paying(world, 1, 2));
    const run = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await thread.reject(thread.interruptions[0]!, { always: true, message: 'Never refund.' });
    await run;
    await thread.run('Again.');
    return [outputs(thread), thread.look.rules.map(({ decision, reason }) => [decision, reason])];
  });
  expect(value).toEqual([['= Never refund.', '= Never refund.', '= Never refund.'], [['deny', 'Never refund.']]]);
});

test('M8: a rule that the app adds answers what it covers, at once; the newest comes first, and what the policy denies stays denied', async () => {
  const { value } = await playThread(async (world) => {
    const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, execute: () => 'paid' });
    const agent = new Agent({ name: 'A', model: world.model(calls(['refund', { order: 1 }], ['pay', {}]), says('Done.'), calls('refund', { order: 2 }), says('Again.')), tools: [refund, pay] });
    const thread = world.thread(agent, { approvalPolicy: { rules: [{ tool: 'pay', decision: 'deny', reason: 'No payments.' }] } });
    const run = thread.run('Go.');
    await thread.until('run.awaitingApproval');
    const waiting = thread.interruptions.map(({ name }) => name);
    await thread.addRule({ id: 'all', tool: '*', decision: 'allow' });
    await run;
    await thread.addRule({ id: 'none', tool: 'refund', decision: 'deny', reason: 'Enough.' });
    await thread.run('Again.');
    return [waiting, outputs(thread)];
  });
  expect(value).toEqual([['refund'], ['= refunded 1', '= No payments.', '= Enough.']]);
});

test('M8: rules by argument decide call by call', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(paying(world, 1, 2), { rules: [{ id: 'one', tool: 'refund', arguments: { order: 1 }, decision: 'allow' }] });
    void thread.run('Go.');
    await thread.until('run.awaitingApproval');
    return thread.interruptions.map(({ arguments: args }) => args);
  });
  expect(value).toEqual(['{"order":2}']);
});

test('M8, D2: a rule answers what waits; where a person decides about one of the calls meanwhile, the person is heard, and the rule stands', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.')), tools: [refund] }));
    const run = thread.run('Pay both.');
    await thread.until('run.awaitingApproval');
    const [, second] = thread.interruptions;
    const said = await Promise.all([thread.addRule({ id: 'all', tool: 'refund', decision: 'allow' }).then(({ status }) => status), refused(thread.reject(second!, { message: 'Not this one.' }))]);
    await run;
    return [said, outputs(thread), thread.look.rules.length];
  });
  expect(value).toEqual([['accepted', 'done'], ['= refunded 1', '= Not this one.'], 1]);
});

test('M8: a rule that cannot be is refused, and the thread goes on', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(paying(world, 1), { approvalPolicy: { rules: [{ id: 'mine', tool: 'look', decision: 'ask' }] } });
    const said = [
      await refused(thread.addRule({ tool: 'refund', decision: 'perhaps' as never })),
      await refused(thread.addRule({ id: 'mine', tool: 'refund', decision: 'allow' })),
      await refused(thread.addRule({ decision: 'allow' } as never)),
    ];
    return [said, thread.look.rules, (await thread.removeRule('none') as { reason?: string }).reason];
  });
  expect(value).toEqual([[expect.stringMatching(/must be allow, ask, deny/), expect.stringMatching(/There is an approval rule "mine" already/), expect.stringMatching(/^UserError/)], [], 'unknownRule']);
});

test.each([256, 1])('M8, O1: rules hold in the next process, given at the begin or added since (checkpoints every %s)', async (checkpointEvery) => {
  const journal = new MemoryJournal();
  const clock = virtualClock();
  const agent = () => new Agent({ name: 'A', model: scriptedModel(calls(['refund', { order: 1 }], ['look', {}]), says('Done.')), tools: [refund, look] });
  const thread = createThread(new Agent({ name: 'A', model: scriptedModel(says('Hello.')) }), { journal, clock, threadId: 'thread_test', checkpointEvery, rules: [{ id: 'given', tool: 'look', decision: 'deny', reason: 'Do not look.' }] });
  await thread.run('Hello.');
  await thread.addRule({ id: 'added', tool: 'refund', decision: 'allow' });
  await thread.release();
  const again = await openThread('thread_test', { journal, clock, agents: agent(), checkpointEvery });
  await again.run('Go.');
  expect([outputs(again), again.look.rules.map(({ id }) => id)]).toEqual([['= refunded 1', '= Do not look.'], ['given', 'added']]);
  await again.close();
});
