/** O1, L1: whatever a thread has accepted is still there when its process dies right after the receipt, and has its effect once. */
import { Agent, tool } from 'loopchart';
import { says, calls } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type PlayedThread, playThread } from '../support/threadScenario.ts';
import { words } from './support/words.ts';

const said = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });

/** What is accepted while a call waits for a person; what is to be seen of it at the end, and in no other place. */
interface Accepted {
  what: string;
  accept(thread: PlayedThread): Promise<unknown>;
  /** Lines of the conversation that come of it, each once. */
  lines: string[];
  runs?: string[];
  /** Calls that wait are approved by it. */
  approves?: true;
  /** The thread goes on when it is told to. */
  resumes?: true;
}

const FIRST = 'run.1 from command: completed';
const KINDS: Accepted[] = [
  { what: 'a steer', accept: (thread) => thread.steer('Hurry.'), lines: ['user Hurry.'] },
  { what: 'an instant steer', accept: (thread) => thread.steer('Hurry.', { mode: 'instant' }), lines: ['user Hurry.'] },
  { what: 'a run that joins', accept: (thread) => thread.run('Hurry.', { whenBusy: 'steer' }).receipt, lines: ['user Hurry.'] },
  { what: 'queued input', accept: (thread) => thread.queue.add('Later.').receipt, lines: ['user Later.'], runs: [FIRST, 'run.2 from queue: completed'] },
  { what: 'a run that waits', accept: (thread) => thread.run('Later.').receipt, lines: ['user Later.'], runs: [FIRST, 'run.2 from queue: completed'] },
  { what: 'mail', accept: (thread) => thread.mail({ from: 'host', content: 'News.' }), lines: ['user [Mail from host]\nNews.'] },
  { what: 'an approval', accept: (thread) => thread.approve(thread.interruptions[0]!), lines: ['= paid 1'], approves: true },
  { what: 'an edited approval', accept: (thread) => thread.approve(thread.interruptions[0]!, { arguments: { order: 8 } }), lines: ['= paid 8\n\nA person changed the arguments of this call before it ran: {"order":8}'], approves: true },
  { what: 'an approval for always', accept: (thread) => thread.approve(thread.interruptions[0]!, { always: true }), lines: ['= paid 1'], approves: true },
  { what: 'a rejection', accept: (thread) => thread.reject(thread.interruptions[0]!, { message: 'No.' }), lines: ['= No.'], approves: true },
  { what: 'a rule', accept: (thread) => thread.addRule({ id: 'pay', tool: 'pay', decision: 'allow' }), lines: ['= paid 1'], approves: true },
  { what: 'a goal', accept: (thread) => thread.setGoal({ message: 'Go on.', maxRuns: 1 }), lines: ['user Go on.'], runs: [FIRST, 'run.2 from goal: completed'] },
  { what: 'injected items', accept: (thread) => thread.inject([said('$ ls')]), lines: ['user $ ls'] },
  { what: 'a stop', accept: (thread) => thread.stopAfterTurn(), lines: [], runs: ['run.1 from command: stopped', 'run.2 from command: completed'], resumes: true },
  { what: 'a run that takes its place', accept: (thread) => thread.run('Instead.', { whenBusy: 'replace' }).receipt, lines: ['user Instead.'], runs: ['run.1 from command: interrupted', 'run.2 from command: completed'] },
];

test.each(KINDS)('O1, L1: $what that was accepted is there after its process has died, and has its effect once', async ({ accept, lines, runs = [FIRST], approves, resumes }) => {
  const { seen, value } = await playThread(async (world) => {
    let paid = 0;
    const pay = tool({ name: 'pay', description: 'Pays.', parameters: z.object({ order: z.number() }), needsApproval: true, effect: 'idempotent', execute: ({ order }) => ((paid += 1), `paid ${order}`) });
    const agent = new Agent({ name: 'A', model: world.model(calls('pay', { order: 1 }), ...Array.from({ length: 4 }, () => says('Done.'))), tools: [pay] });
    let thread: PlayedThread = world.thread(agent);
    void thread.run('Go.');
    await thread.until('run.awaitingApproval');
    await accept(thread);
    thread = await world.reopen(thread);
    if (resumes) {
      void thread.run([]);
      await world.clock.settle();
    }
    if (!approves) for (const call of thread.interruptions) await thread.approve(call);
    await world.clock.runAll();
    return paid;
  });
  const story = words(seen.history);
  for (const line of lines) expect([line, story.filter((one) => one === line).length]).toEqual([line, 1]);
  expect([seen.runs, seen.queue, seen.mailbox]).toEqual([runs, [], []]);
  expect(value).toBeLessThanOrEqual(2);
});

const ON_IDLE: { what: string; accept(thread: PlayedThread): Promise<unknown>; seen(thread: PlayedThread): unknown; is: unknown }[] = [
  { what: 'mail that wakes nobody', accept: (thread) => thread.mail({ from: 'host', content: 'News.' }), seen: ({ look }) => look.mailbox.map(({ content }) => content), is: ['News.'] },
  { what: 'injected items', accept: (thread) => thread.inject([said('$ ls')]), seen: ({ look }) => words(look.history).at(-1), is: 'user $ ls' },
  { what: 'a goal', accept: (thread) => thread.setGoal({ message: 'Go on.', maxRuns: 3 }), seen: ({ look }) => look.goal, is: { message: 'Go on.', maxRuns: 3, runs: 0 } },
  { what: 'a rule', accept: (thread) => thread.addRule({ id: 'pay', tool: 'pay', decision: 'deny' }), seen: ({ look }) => look.rules, is: [{ id: 'pay', tool: 'pay', decision: 'deny' }] },
  { what: 'a way back', accept: (thread) => thread.revert({ runId: null }), seen: ({ look }) => look.history, is: [] },
  { what: 'mail that wakes', accept: (thread) => thread.mail({ from: 'host', content: 'News.', triggerTurn: true }), seen: ({ look }) => look.runs.length + (look.activeRunId ? 1 : 0), is: 2 },
  { what: 'a compaction', accept: (thread) => thread.compact(), seen: ({ look }) => look.history.map(({ type }) => type), is: ['compaction'] },
];
test.each(ON_IDLE)('O1, L1: $what that an idle thread has accepted is there after its process has died', async ({ accept, seen, is }) => {
  const { value } = await playThread(async (world) => {
    let thread: PlayedThread = world.thread(new Agent({ name: 'A', model: world.model(says('One.'), says('Two.'), says('Two.')) }));
    await thread.run('Go.');
    await accept(thread);
    thread = await world.reopen(thread);
    await world.clock.runAll();
    return seen(thread);
  });
  expect(value).toEqual(is);
});
