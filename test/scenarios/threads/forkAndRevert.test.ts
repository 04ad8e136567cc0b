/** M6 on threads: another conversation with the same past, and a conversation that goes back. */
import { Agent, MemoryJournal, handoff, tool } from 'loopchart';
import { answersWith, calls, fails, says, scriptedModel, user } from 'loopchart/testing';
import { type Thread, createThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, refund } from '../support/cast.ts';
import { type PlayedThread, type ThreadWorld, playThread } from '../support/threadScenario.ts';
import { fates, words } from './support/words.ts';

const RUN_1 = { runId: 'thread_test/run.1' };
const talking = (world: ThreadWorld, ...answers: string[]) => world.thread(new Agent({ name: 'A', model: world.model(...answers.map((answer) => says(answer))) }));
const history = ({ look }: Thread) => words(look.history);
const refused = (what: Promise<unknown>) => what.then(() => 'done', (error: Error) => `${error.name}: ${error.message}`);

test('M6: a fork has the same history up to a run that has settled, an id of its own, and its own runs; the source is as it was', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = talking(world, 'One.', 'Two.', 'Other.');
    await thread.run('First.');
    await thread.run('Second.');
    const fork = await thread.fork({ at: RUN_1, threadId: 'fork' });
    const { runId } = await fork.run('Elsewhere.');
    return [fork.id, runId, history(fork), fork.look.runs.length];
  });
  expect(value).toEqual(['fork', 'fork/run.1', ['user First.', 'assistant One.', 'user Elsewhere.', 'assistant Other.'], 1]);
  expect(words(seen.history)).toEqual(['user First.', 'assistant One.', 'user Second.', 'assistant Two.']);
});

test('M6: a fork begins with the event that says where it is from', async () => {
  const { value } = await playThread(async (world) => {
    const thread = talking(world, 'One.');
    await thread.run('First.');
    const fork = await thread.fork({ at: RUN_1, threadId: 'fork' });
    for await (const event of fork.events({ from: 1 })) return event;
  });
  expect(value).toMatchObject({ type: 'thread.started', forkedFrom: { threadId: 'thread_test', at: RUN_1 } });
});

test('M6: a fork at a turn of a run has the history up to there, and nothing more, also where the next run has begun since', async () => {
  const { value } = await playThread(async (world) => {
    const look = counted('look', 'seen');
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('One.'), says('Two.')), tools: [look.tool] }));
    const first = thread.run('First.');
    const second = thread.queue.add('Second.');
    await Promise.all([first, second]);
    const at = (turn: number) => thread.fork({ at: { ...RUN_1, turn }, threadId: `fork_${turn}` }).then(history);
    return [await at(1), await at(2), await refused(at(3))];
  });
  expect(value).toEqual([
    ['user First.', 'look()', '= seen'],
    ['user First.', 'look()', '= seen', 'assistant One.'],
    expect.stringMatching(/^UserError: Thread thread_test has no such point: .*Fork at a run that has settled/),
  ]);
});

test('M6: a fork of a thread at work shows the run as interrupted, and the source is not disturbed', async () => {
  const { seen, value } = await playThread(async (world) => {
    const [started, gate] = [latch(), latch()];
    const look = counted('look', async () => (started.open(), await gate.promise, 'seen'));
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Elsewhere.'), says('One.')), tools: [look.tool] }));
    const run = thread.run('First.');
    await started.promise;
    const fork = await thread.fork();
    const forked = history(fork);
    await fork.run('And here?');
    gate.open();
    return [forked, (await run).finalOutput, look.runs];
  });
  expect(value).toEqual([['user First.', 'look()', '= aborted', expect.stringContaining('interrupted on purpose')], 'One.', 1]);
  expect(seen.runs).toEqual(['run.1 from command: completed']);
});

test('M6, D6: a call that waits in the source waits there alone: in the fork it is aborted, and nothing runs', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('refund', { order: 1 }), says('Done.')), tools: [refund] }));
    const run = thread.run('First.');
    await thread.until('run.awaitingApproval');
    const fork = await thread.fork();
    const seen = [fork.interruptions.length, fork.state, history(fork).slice(1, 3), thread.interruptions.length];
    await thread.approve(thread.interruptions[0]!);
    return [...seen, (await run).finalOutput];
  });
  expect(value).toEqual([0, 'idle', ['refund()', '= aborted'], 1, 'Done.']);
});

test('M6, M8: queue, mailbox, goal and rules are not those of the fork', async () => {
  const { value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(fails({ status: 400 }), calls('refund', { order: 2 })), tools: [refund] }), { rules: [{ id: 'given', tool: 'refund', decision: 'allow' }] });
    await thread.run('First.').result.catch(() => undefined);
    await thread.queue.add('Later.').receipt;
    await thread.mail({ from: 'host', content: 'News.' });
    await thread.setGoal({ message: 'Go on.' });
    const fork = await thread.fork();
    const { queue, mailbox, goal, rules } = fork.look;
    void fork.run('Refund it.');
    await world.clock.settle();
    return [[queue, mailbox, goal, rules], fork.interruptions.length, thread.look.rules.length];
  });
  expect(value).toEqual([[[], [], null, []], 1, 1]);
});

test('M6: the agent that had the floor has it in the fork too', async () => {
  const { value } = await playThread(async (world) => {
    const second = new Agent({ name: 'Second', model: world.model(says('Second here.'), says('Still second.')) });
    const first = new Agent({ name: 'First', model: world.model(says('First here.'), calls('transfer_to_Second')), handoffs: [handoff(second)] });
    const thread = world.thread(first);
    await thread.run('Hello.');
    await thread.run('Hand over.');
    const [before, after] = [await thread.fork({ at: RUN_1, threadId: 'before' }), await thread.fork({ threadId: 'after' })];
    await after.run('Who is it?');
    return [before.look.agent, after.look.agent, history(after).at(-1)];
  });
  expect(value).toEqual(['First', 'Second', 'assistant Still second.']);
});

// -- going back -------------------------------------------------------------------------------------------------------

test('M6: a history goes back by a marker: the model reads the shorter one, the journal has all', async () => {
  const { seen, value, requests } = await playThread(async (world) => {
    const thread = talking(world, 'One.', 'Two.', 'Three.');
    await thread.run('First.');
    await thread.run('Second.');
    const receipt = await thread.revert(RUN_1);
    const shown = [receipt.status, history(thread), thread.look.runs.map(({ runId }) => runId)];
    await thread.run('Third.');
    const fork = await thread.fork({ at: { runId: 'thread_test/run.2' }, threadId: 'fork' });
    const marker = thread.told.find(({ type }) => type === 'thread.reverted');
    return [...shown, history(fork).slice(2), marker && 'to' in marker && [marker.to, (marker as { length?: number }).length]];
  });
  expect(value).toEqual(['accepted', ['user First.', 'assistant One.'], ['thread_test/run.1'], ['user Second.', 'assistant Two.'], [RUN_1, 2]]);
  expect(words(requests[2]!.input)).toEqual(['user First.', 'assistant One.', 'user Third.']);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.3 from command: completed']);
});

test('M6: it goes back to a turn of a run, and to what there was before the first one', async () => {
  const { value } = await playThread(async (world) => {
    const look = counted('look', 'seen');
    const agent = new Agent({ name: 'A', model: world.model(calls('look'), says('One.')), tools: [look.tool] });
    const thread = world.thread(agent, { history: [{ type: 'message', role: 'user', content: 'Before.' }] });
    await thread.run('First.');
    await thread.revert({ ...RUN_1, turn: 1 });
    const toTurn = history(thread);
    await thread.revert({ runId: null });
    return [toTurn, history(thread), (await thread.revert({ runId: 'thread_test/run.9' }) as { reason?: string }).reason];
  });
  expect(value).toEqual([['user Before.', 'user First.', 'look()', '= seen'], ['user Before.'], 'unknownPoint']);
});

test('M6, J2: a run that is going is interrupted first; the history is that of before, and the thread waits to be told', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), calls('refund', { order: 1 }), says('Three.')), tools: [refund] }));
    await thread.run('First.');
    const second = thread.run('Second.');
    const ended = refused(second.result);
    await thread.until('run.awaitingApproval');
    const told = thread.told.length;
    await thread.revert(RUN_1);
    const order = thread.told.slice(told).flatMap(({ type }) => (['approval.resolved', 'run.settled', 'thread.reverted', 'thread.changed'].includes(type) ? [type] : []));
    const after = [await ended, thread.state, history(thread), thread.interruptions];
    await thread.run('Third.');
    return [order, after];
  });
  expect(value).toEqual([
    ['thread.changed', 'approval.resolved', 'run.settled', 'thread.reverted', 'thread.changed'],
    ['AbortError: The run was interrupted: the conversation went back.', 'paused', ['user First.', 'assistant One.'], []],
  ]);
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.3 from command: completed']);
});

test('M6: it goes back behind a compaction, to what the summary has taken the place of', async () => {
  const { seen, value } = await playThread(async (world) => {
    const thread = talking(world, 'One.', 'Two.', 'The summary.');
    await thread.run('First.');
    await thread.run('Second.');
    await thread.compact();
    await world.clock.settle();
    expect(history(thread)).toEqual(['compaction']);
    const { status } = await thread.revert(RUN_1);
    return status;
  });
  expect([value, words(seen.history)]).toEqual(['accepted', ['user First.', 'assistant One.']]);
});

test('M6, L1: input that waited for a later run goes with the history, and its receipt says so', async () => {
  const { seen, value } = await playThread(async (world) => {
    const [started, gate] = [latch(), latch()];
    const look = counted('look', async () => (started.open(), await gate.promise, 'seen'));
    const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look'), says('Done.')), tools: [look.tool] }));
    const first = thread.run('First.');
    await started.promise;
    const receipt = await thread.steer('Hurry.', { id: 'hurry' });
    await thread.stopAfterTurn();
    gate.open();
    await first;
    await thread.revert({ runId: null });
    await thread.run('Anew.');
    return [fates(thread.told, 'hurry'), receipt.status === 'accepted' && (await receipt.delivery)];
  });
  expect(value).toEqual([['dropped: reverted'], { status: 'dropped', reason: 'reverted' }]);
  expect(words(seen.history)).toEqual(['user Anew.', 'assistant Done.']);
});

test('M6: the floor goes back with the history', async () => {
  const { value } = await playThread(async (world) => {
    const second = new Agent({ name: 'Second', model: world.model(says('Second here.')) });
    const first = new Agent({ name: 'First', model: world.model(says('First here.'), calls('transfer_to_Second'), says('First again.')), handoffs: [handoff(second)] });
    const thread = world.thread(first);
    await thread.run('Hello.');
    await thread.run('Hand over.');
    const floor = thread.look.agent;
    await thread.revert(RUN_1);
    return [floor, thread.look.agent, (await thread.run('Who is it?')).finalOutput];
  });
  expect(value).toEqual(['Second', 'First', 'First again.']);
});

test('M6, O1: a history that went back has gone back in the next process too', async () => {
  const { seen, requests } = await playThread(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(says('One.'), says('Two.'), says('Three.')) });
    let thread: PlayedThread = world.thread(agent);
    await thread.run('First.');
    await thread.run('Second.');
    await thread.revert(RUN_1);
    thread = await world.reopen(thread);
    await thread.run('Third.');
  });
  expect(words(requests[2]!.input)).toEqual(['user First.', 'assistant One.', 'user Third.']);
  expect(seen.runs.length).toBe(2);
});

test('M6: a fork, and a way back, of a run that compacted its history on the way', async () => {
  const { value } = await playThread(async (world) => {
    const step = tool({ name: 'step', description: 'Steps.', parameters: z.object({}), execute: () => 'stepped' });
    const thread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), calls('step'), answersWith(() => says('The summary.')), says('Two.')), tools: [step] }));
    await thread.run('First.');
    const second = thread.run('Second.');
    await thread.until('tool.started');
    await thread.compact();
    await second;
    const compacted = history(thread);
    const [before, after] = [await thread.fork({ at: RUN_1, threadId: 'before' }), await thread.fork({ at: { runId: 'thread_test/run.2' }, threadId: 'after' })];
    const forks = [history(before), history(after).length === compacted.length];
    await thread.revert(RUN_1);
    return [compacted.includes('compaction'), ...forks, history(thread)];
  });
  expect(value).toEqual([true, ['user First.', 'assistant One.'], true, ['user First.', 'assistant One.']]);
});

class SlowJournal extends MemoryJournal {
  override async append(...given: Parameters<MemoryJournal['append']>): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    super.append(...given);
  }
}

class FullDisk extends MemoryJournal {
  override async append(): Promise<void> {
    await Promise.resolve();
    throw new Error('disk full');
  }
}

test('M6, O1: a thread whose begin is still being written waits for it; where it cannot be written, the journal\'s own error is heard', async () => {
  const agent = new Agent({ name: 'Desk', model: scriptedModel(says('Hello.')) });
  const slow = createThread(agent, { journal: new SlowJournal(), history: [user('Before.')] });
  const [receipt, fork] = await Promise.all([slow.revert({ runId: null }), slow.fork()]);
  expect([receipt.status, words(fork.look.history)]).toEqual(['accepted', words(slow.look.history)]);
  const full = createThread(agent, { journal: new FullDisk() });
  for (const asked of [() => full.revert({ runId: null }), () => full.fork(), () => full.fork({ at: { runId: null } })]) await expect(asked()).rejects.toThrow('disk full');
  const left = createThread(agent, { journal: new SlowJournal() });
  const asked = left.revert({ runId: null });
  await left.release();
  await expect(asked).rejects.toThrow(/was given back/);
});
