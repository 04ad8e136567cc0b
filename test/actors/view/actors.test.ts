/** The five words of a view are those of the actors themselves, wherever a run stands still. */
import { Agent, type RunEvent, run } from 'loopchart';
import { createThread } from 'loopchart/thread';
import { calls, fails, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { viewOf } from 'loopchart/view';
import { expect, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { counted, latch, refund } from '../../scenarios/support/cast.ts';

/** `<path> <word>` of every actor of the charts that is not over. */
function wordsOf(actor: AnyActorRef, path: string): string[] {
  const { value, children } = actor.getSnapshot() as { value: string | object; children: Record<string, AnyActorRef> };
  const word = typeof value === 'string' ? value : Object.keys(value)[0]!;
  const inside = Object.entries(children).filter(([id]) => /^(agent|turn|toolCall)\.|^run$/.test(id));
  return [`${path} ${word}`, ...inside.flatMap(([id, child]) => wordsOf(child, `${path}/${id}`))].filter((line) => !/ (settled|interrupted)$/.test(line));
}

test('while bodies work, calls wait at any depth, a request is tried again, and when some have ended before others', async () => {
  const clock = virtualClock();
  const gates = [latch(), latch(), latch()];
  const slow = (nth: number) => counted(`slow${nth}`, () => gates[nth]!.promise.then(() => 'done')).tool;
  const inner = new Agent({ name: 'Inner', model: scriptedModel(calls(['refund', { order: 7 }], ['slow1']), says('inner')), tools: [refund, slow(1)] }).asTool({});
  const last = new Agent({ name: 'Last', model: scriptedModel(calls('slow2'), says('Done.')), tools: [slow(2)] });
  const model = scriptedModel(fails({ status: 500 }), calls(['slow0'], ['Inner', { input: 'x' }], ['refund', { order: 8 }]), calls('transfer_to_Last'));
  const agent = new Agent({ name: 'Outer', model, modelSettings: { retry: { maxRetries: 1, policy: () => ({ retry: true, delayMs: 1_000 }) } }, tools: [slow(0), inner, refund], handoffs: [last] });
  const events: RunEvent[] = [];
  let root: AnyActorRef | undefined;
  const thread = createThread(agent, { clock, threadId: 'thread_1', onEvent: (event) => void events.push(event), inspect: ({ type, actorRef }) => void (type === '@xstate.actor' && (root ??= actorRef as AnyActorRef)) });
  const run = thread.run('go');
  const words: string[][] = [];
  const compare = async () => {
    await clock.settle();
    const seen = viewOf(events).actors.filter(({ word }) => word !== 'settled' && word !== 'interrupted').map(({ path, word }) => `${path} ${word}`);
    expect(seen.toSorted()).toEqual(wordsOf((root!.getSnapshot() as { children: Record<string, AnyActorRef> }).children['run.1']!, 'thread_1/run.1').toSorted());
    words.push(seen);
  };
  await compare(); // backing off
  await clock.advance(1_000);
  await compare(); // bodies at work, a call waits in each agent
  gates[1]!.open();
  await compare(); // the nested run waits, the outer one does not
  await thread.approve(thread.interruptions.find(({ id }) => id.includes('/run/'))!);
  await compare();
  gates[0]!.open();
  await compare(); // all that is left is a call that waits
  expect(words.at(-1)!.map((line) => line.slice(line.indexOf(' ')))).toEqual([' awaitingApproval', ' awaitingApproval', ' awaitingApproval', ' awaitingApproval']);
  await thread.approve(thread.interruptions[0]!);
  await compare(); // another agent has the floor
  gates[2]!.open();
  expect((await run).finalOutput).toBe('Done.');
  expect(words.map((lines) => lines.length)).toEqual([3, 11, 10, 5, 4, 4]);
});

test('J2: an interrupted run has none that live, and says so itself', async () => {
  const clock = virtualClock();
  const events: RunEvent[] = [];
  const stream = await run(new Agent({ name: 'Desk', model: scriptedModel(calls('tick'), hangs(1, says('one two'))), tools: [counted('tick').tool] }), 'go', { stream: true, clock, runId: 'run_1', onEvent: (event) => void events.push(event) });
  await clock.settle();
  await stream.cancel();
  expect(viewOf(events).actors).toEqual([{ path: 'run_1', kind: 'run', agent: 'Desk', word: 'interrupted' }]);
});
