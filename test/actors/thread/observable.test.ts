/** Events as RxJS observables: hot, shared, and no matter to what they tell of. */
import { Agent, type RunStreamEvent, run } from 'loopchart';
import { events$, observableOf } from 'loopchart/thread';
import { calls, fails, hangs, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { firstValueFrom, from, lastValueFrom, map, take, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { EventHub } from '../../../actors/eventHub.ts';
import { counted } from '../../scenarios/support/cast.ts';

const named = (event: RunStreamEvent) => (event.type === 'run_item_stream_event' ? event.name : event.type);

test('all who subscribe hear the same from then on, and the end; to unsubscribe is no matter to anybody else', () => {
  const hub = new EventHub<number>({ isDelta: () => false });
  const events = observableOf(hub);
  const heard: string[] = [];
  const hear = (who: string) => ({ next: (event: number) => heard.push(`${who} ${event}`), complete: () => heard.push(`${who} complete`) });
  const first = events.subscribe(hear('first'));
  hub.publish(1);
  events.pipe(take(1)).subscribe(hear('second'));
  hub.publish(2);
  first.unsubscribe();
  events.subscribe(hear('third'));
  hub.publish(3);
  hub.end();
  events.subscribe(hear('late'));
  expect(heard).toEqual(['first 1', 'first 2', 'second 2', 'second complete', 'third 3', 'third complete', 'late complete']);
});

test('I4: a run is told of as it goes, completes when it has settled, and is not interrupted by who leaves; nor is it held up', async () => {
  const model = scriptedModel(calls('tick'), says('Done.'));
  const stream = await run(new Agent({ name: 'Desk', model, tools: [counted('tick').tool] }), 'go', { stream: true });
  const left = firstValueFrom(events$(stream));
  const all = lastValueFrom(events$(stream).pipe(map(named), toArray()));
  await left;
  await stream.completed;
  expect((await all).filter((name) => name !== 'raw_model_stream_event')).toEqual(['tool_called', 'tool_output', 'message_output_created']);
  expect([stream.cancelled, stream.finalOutput]).toEqual([false, 'Done.']);
});

test('a run that fails is an error, one that is interrupted completes', async () => {
  const failing = await run(new Agent({ name: 'Desk', model: scriptedModel(fails({ status: 500 })) }), 'go', { stream: true });
  await expect(lastValueFrom(events$(failing), { defaultValue: undefined })).rejects.toBe(await failing.completed.catch((error: unknown) => error));
  const clock = virtualClock();
  const hanging = await run(new Agent({ name: 'Desk', model: scriptedModel(hangs(1, says('one'))) }), 'go', { stream: true, clock });
  const over = lastValueFrom(events$(hanging), { defaultValue: undefined });
  await clock.settle();
  await hanging.cancel();
  await over;
  expect(hanging.cancelled).toBe(true);
});

test('an observer that throws is told of by RxJS, and the run goes on', async () => {
  const thrown: unknown[] = [];
  const hear = (error: unknown) => thrown.push(error);
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', hear);
  try {
    const stream = await run(new Agent({ name: 'Desk', model: scriptedModel(says('Done.')) }), 'go', { stream: true });
    events$(stream).pipe(take(1)).subscribe(() => { throw new Error('of the observer'); });
    await stream.completed;
    await firstValueFrom(from(new Promise((resolve) => setTimeout(resolve, 5)))); // RxJS reports with a timer of its own
    expect([stream.finalOutput, thrown.map(String)]).toEqual(['Done.', ['Error: of the observer']]);
  } finally {
    process.removeListener('uncaughtException', hear);
    for (const one of before) process.on('uncaughtException', one);
  }
});
