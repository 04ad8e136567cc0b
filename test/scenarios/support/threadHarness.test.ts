/** The harness of threads itself: what it is to notice, it notices. */
import { Agent } from 'loopchart';
import { calls, says } from 'loopchart/testing';
import type { ThreadEvent } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { counted, latch } from './cast.ts';
import { threadProblems } from './threadInvariants.ts';
import { playThread } from './threadScenario.ts';

test('a thread that is steered, queued to and opened again', async () => {
  const gate = latch();
  const look = counted('look', async () => (await gate.promise, 'seen'));
  const { seen, requests } = await playThread(async (world) => {
    const agent = new Agent({ name: 'A', model: world.model(calls('look'), says('First.'), says('Second.')), tools: [look.tool] });
    const thread = world.thread(agent);
    const first = thread.run('Go.');
    const second = thread.run('More.');
    await thread.until('tool.started');
    await thread.steer('Hurry.');
    gate.open();
    await first;
    await second;
    await world.reopen(thread);
  });
  expect(seen.runs).toEqual(['run.1 from command: completed', 'run.2 from queue: completed']);
  expect(requests.map(({ input }) => input.length)).toEqual([1, 4, 6]);
});

const at = (number: number, event: object) => ({ number, at: 0, cause: '', path: 't', agent: 'A', ...event }) as ThreadEvent; // only what the checks look at
const answered = (number: number, command: string, id: string, runId?: string) => at(number, { type: 'command.answered', command, id, answer: { status: 'accepted', ...(runId && { runId }) } });
const settled = (number: number, status: string, run = 't/run.1', undelivered: string[] = []) => at(number, { type: 'run.settled', path: run, outcome: { status, undelivered: undelivered.map((id) => ({ id })) } });
const began = (number: number, run: string, source: object, ids: string[] = []) => at(number, { type: 'input.accepted', path: run, source, ids, items: [] });
const REST = { queue: [], mailbox: [], activeRunId: undefined };

test.each<[string, ThreadEvent[], RegExp]>([
  ['a command that is answered twice', [answered(1, 'thread.steer', 's'), answered(2, 'thread.steer', 's')], /^L1: thread.steer s is answered twice/],
  ['two runs at a time', [at(1, { type: 'run.started', path: 't/run.1' }), at(2, { type: 'run.started', path: 't/run.2' })], /^M1/],
  ['an entry out of its turn', [at(1, { type: 'queue.changed', queue: [{ id: 'a' }, { id: 'b' }] }), began(2, 't/run.1', { kind: 'queue', id: 'b' }), at(3, { type: 'queue.changed', queue: [] })], /^M2: b begins, and a stood in front/],
  ['an entry that is lost', [at(1, { type: 'queue.changed', queue: [{ id: 'a' }] }), at(2, { type: 'queue.changed', queue: [] })], /^M2: 1 entries more left/],
  ['a steer that is lost', [answered(1, 'thread.steer', 's'), settled(2, 'completed')], /^L3: s is lost/],
  ['a steer that is given back in silence', [answered(1, 'thread.steer', 's'), settled(2, 'failed', 't/run.1', ['s'])], /^L1: s was not delivered/],
  ['a steer that is delivered twice', [answered(1, 'thread.steer', 's'), at(2, { type: 'input.delivered', ids: ['s'] }), at(3, { type: 'input.delivered', ids: ['s'] })], /^L3: s is delivered, and/],
  ['steers out of order', [answered(1, 'thread.steer', 'a'), answered(2, 'thread.steer', 'b'), at(3, { type: 'input.delivered', ids: ['b', 'a'] })], /^L4: a/],
  ['mail that is lost', [answered(1, 'thread.mail', 'm')], /^M4: the mail m is in 0 places/],
  ['mail that is read twice', [answered(1, 'thread.mail', 'm'), at(2, { type: 'input.delivered', ids: ['m'] }), began(3, 't/run.1', { kind: 'mail' }, ['m'])], /^M4: the mail m is in 2 places/],
  ['a queue that does not wait', [settled(1, 'failed'), began(2, 't/run.2', { kind: 'goal' })], /^M3/],
  ['an approval that is left open', [at(1, { type: 'approval.requested', path: 't/run.1/x', id: 'x' }), settled(2, 'interrupted')], /^J2: .* settled while x/],
  ['a call that ends before its approval', [at(1, { type: 'item.completed', path: 't/run.1/y', status: 'aborted' }), at(2, { type: 'approval.resolved', path: 't/run.1/x', id: 'x', decision: 'withdrawn' }), settled(3, 'interrupted')], /^J2: .* before the approvals/],
  ['a turn after the interrupt', [answered(1, 'thread.interrupt', 'i', 't/run.1'), at(2, { type: 'turn.started', path: 't/run.1/agent.1/turn.2' })], /^J4/],
])('it finds %s', (_what, events, finding) => expect(threadProblems(events, REST)).toContainEqual(expect.stringMatching(finding)));
