/** M4: mail joins at safe points like a steer, until the final answer is there; then it waits for a later run. */
import { Agent, type RunState, type StopHook } from 'loopchart';
import { answersWith, calls, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { receipts } from '../support/receipts.ts';
import { play, type Going, type Seen } from '../support/scenario.ts';

const mail = async (going: Going, text: string) => (await going.state).source.mail([{ id: `mail ${text}`, item: user(text) }]);
const waitingIn = ({ state }: Seen) => (state as RunState<any, any>).source.outcome!.undelivered;

test('M4: mail joins at the next safe point, marked as mail, and reopens the loop before the final message is complete', async () => {
  const { seen, requests } = await play(async (world) => {
    const [sampling, answer] = [latch(), latch<ReturnType<typeof says>>()];
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(answersWith(() => (sampling.open(), answer.promise)), says('Read it.')) }), 'go');
    await sampling.promise;
    await mail(going, 'from a helper');
    answer.open(says('Done.'));
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.finalOutput, requests.length]).toEqual(['Read it.', 2]);
  expect(seen.newItems[1]).toMatchObject({ type: 'input_item', origin: 'mail' });
  expect(seen.events.find(({ type }) => type === 'input.delivered')).toMatchObject({ turn: 2, origins: ['mail'] });
});

test('M4: mail that comes when the answer is taken reopens nothing and comes back, for a later run', async () => {
  const { seen, requests } = await play(async (world) => {
    const [asked, go] = [latch(), latch()];
    const hook: StopHook = { name: 'slow', execute: () => (asked.open(), go.promise) };
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(says('Done.')) }), 'go', { stopHooks: [hook] });
    await asked.promise;
    await mail(going, 'too late');
    go.open();
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.outcome, seen.finalOutput, requests.length]).toEqual(['completed', 'Done.', 1]);
  expect(seen.state.undelivered).toEqual([]); // which are the messages of the user
  expect(waitingIn(seen)).toEqual([{ id: 'mail too late', item: user('too late'), origin: 'mail' }]);
  expect(receipts(seen.events)).toEqual(['accepted too late', 'dropped too late: late']);
});

test('M4: when a steer or a hook reopens the loop, the mail that had come too late counts again', async () => {
  const { runs } = await play(async (world) => {
    for (const reopens of ['steer', 'hook']) {
      const [asked, go] = [latch(), latch<{ objection: string } | undefined>()];
      const hook: StopHook = { name: 'slow', execute: ({ turn }) => (turn === 1 ? (asked.open(), go.promise) : undefined) };
      const going = world.begin(new Agent({ name: 'Worker', model: world.model(says('Done.'), says('Read it.')) }), 'go', { stopHooks: [hook] });
      await asked.promise;
      await mail(going, 'late');
      if (reopens === 'steer') (await going.state).addInput('and hurry');
      go.open(reopens === 'hook' ? { objection: 'Not yet.' } : undefined);
      await going.settled;
    }
  }, { only: 'streamed' });
  expect(runs.map(({ story }) => story)).toEqual([
    ['Worker: says "Done."', 'Worker: reads "late"', 'Worker: reads "and hurry"', 'Worker: says "Read it."'],
    ['Worker: says "Done."', 'Worker: reads "late"', 'Worker: reads "Not yet."', 'Worker: says "Read it."'],
  ]);
});

test('M4, P2: an interrupt gives mail back', async () => {
  const { seen } = await play(async (world) => {
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(calls('slow')), tools: [counted('slow', () => new Promise(() => undefined)).tool] }), 'go');
    await going.until('tool.started');
    await mail(going, 'from a helper');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  }, { only: 'streamed' });
  expect(receipts(seen.events)).toEqual(['accepted from a helper', 'dropped from a helper: interrupted']);
  expect(waitingIn(seen)).toMatchObject([{ origin: 'mail' }]);
});
