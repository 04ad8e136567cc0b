/** I4: `stream()` is cold: it begins with its first reader, and ends with it. */
import { Agent, type ColdStream, type RunEvent, type RunStreamEvent, run, stream, tool } from 'loopchart';
import { type Step, calls, delays, fails, responds, says, scriptedModel, type VirtualClock, virtualClock } from 'loopchart/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkRun } from '../support/invariants.ts';
import { counted } from '../support/cast.ts';

const desk = (...steps: Step[]) => {
  const model = scriptedModel(...steps);
  return { model, agent: new Agent({ name: 'Desk', model, tools: [counted('tick').tool] }) };
};

test('I4: nothing happens before the first next() or await; iterated it tells all, awaited it brings the result', async () => {
  const clock = virtualClock();
  const { model, agent } = desk(calls('tick'), says('Done.'), says('Again.'));
  const heard: string[] = [];
  const read = stream(agent, 'go', { clock, onEvent: ({ type }) => void heard.push(type) });
  const iterator = read[Symbol.asyncIterator]();
  await clock.settle();
  expect([model.requests.length, heard]).toEqual([0, []]);
  const events: string[] = [];
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) if (next.value.type === 'run_item_stream_event') events.push(next.value.name);
  expect(events).toEqual(['tool_called', 'tool_output', 'message_output_created']);
  expect([(await read).finalOutput, (await read).finalOutput, heard.at(-1)]).toEqual(['Done.', 'Done.', 'run.settled']);
  const awaited = stream(agent, 'again', { clock });
  await clock.settle();
  expect(model.requests.length).toBe(2);
  expect([(await awaited).finalOutput, model.requests.length]).toEqual(['Again.', 3]);
});

test('I4: run() begins at once', async () => {
  const { model, agent } = desk(says('Done.'));
  const going = run(agent, 'go', { stream: true });
  await virtualClock().settle();
  expect(model.requests.length).toBe(1);
  await (await going).completed;
});

test('I4: it is read once', async () => {
  const { agent } = desk(says('Done.'));
  const cold = stream(agent, 'go');
  for await (const _ of cold);
  await expect((async () => { for await (const _ of cold); })()).rejects.toThrow('A cold stream is read once.');
});

test('I4, P1: it fails where it is read, and where it is awaited', async () => {
  const { agent } = desk(fails({ status: 500 }));
  const cold = stream(agent, 'go');
  await expect((async () => { for await (const _ of cold); })()).rejects.toThrow();
  await expect(cold).rejects.toMatchObject({ name: 'ScriptedModelError', state: expect.anything() });
  await expect(stream({} as Agent, 'go')).rejects.toThrow('run() needs an Agent'); // what is no agent is heard of when it begins
});

test('I4: given up before it began, it never begins; awaited, it was interrupted', async () => {
  const { model, agent } = desk(says('Done.'));
  const cold = stream(agent, 'go');
  const iterator = cold[Symbol.asyncIterator]();
  await iterator.return!();
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  await expect(cold).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  expect(model.requests.length).toBe(0);
});

/** Left after so many events, or at the end. */
async function readUpTo(cold: ColdStream<undefined, Agent<any, any>>, count: number): Promise<RunStreamEvent[]> {
  const read: RunStreamEvent[] = [];
  if (count === 0) {
    await cold[Symbol.asyncIterator]().return!();
    return read;
  }
  try {
    for await (const event of cold) if (read.push(event) === count) break;
  } catch (error) {
    expect((error as Error).name).toBe('ScriptedModelError'); // the script has one that fails
  }
  return read;
}

const KINDS = ['call', 'calls', 'call after text', 'nested', 'late answer', 'answer', 'failure'] as const;
const stepOf = (kind: (typeof KINDS)[number], clock: VirtualClock): Step => {
  switch (kind) {
    case 'call': return calls('tick');
    case 'calls': return calls(['tick'], ['slow']);
    case 'call after text': return responds(says('Hm, hm. '), calls('slow'));
    case 'nested': return calls('Inner', { input: 'hi' });
    case 'late answer': return delays(5, says('one two three'), clock);
    case 'answer': return says('one two three');
    case 'failure': return fails({ status: 500 });
  }
};

test('I4, I2, J4: left after any event, it leaves nothing open: no item, no effect, no timer, no actor; and nothing was done before it was read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 4 }), fc.nat(40), async (kinds, count) => {
      const clock = virtualClock();
      const events: RunEvent[] = [];
      const model = scriptedModel(...kinds.map((kind) => stepOf(kind, clock)), says('The end.'));
      const slow = tool({
        name: 'slow',
        description: 'Takes its time.',
        parameters: z.object({}),
        execute: (_, __, details) => new Promise<string>((resolve) => {
          const timer = clock.setTimeout(() => resolve('done'), 20);
          details?.signal?.addEventListener('abort', () => { clock.clearTimeout(timer); resolve('stopped'); });
        }),
      });
      const inner = new Agent({ name: 'Inner', model: scriptedModel(...kinds.map(() => says('from inside'))) }).asTool({});
      const agent = new Agent({ name: 'Desk', model, tools: [counted('tick').tool, slow, inner] });
      const cold: ColdStream<undefined, Agent<any, any>> = stream(agent, 'go', { clock, onEvent: (event) => void (typeof event.number === 'number' && events.push(event)) });
      await clock.settle();
      expect([model.requests.length, events.length, clock.pending.length]).toEqual([0, 0, 0]);
      const reading = readUpTo(cold, count);
      for (let at = 0; at < 30; at += 1) await clock.advance(10);
      const read = await reading;
      expect(read.length).toBeLessThanOrEqual(count);
      const told = events.length;
      const asked = model.requests.length;
      const ended: { state?: any; error?: unknown } = await cold.then((result) => ({ state: result.state }), (error: unknown) => ({ state: (error as { state?: unknown }).state, error }));
      await clock.runAll();
      expect([events.length, model.requests.length, clock.pending.length]).toEqual([told, asked, 0]);
      if (count === 0) return void expect([told, asked]).toEqual([0, 0]);
      const { state } = ended;
      checkRun({ events, stream: read, ...ended }, []);
      expect([state.source.isLive, state.source.outcome !== null, state.source.openDecisions]).toEqual([false, true, []]);
    }),
    { numRuns: 60 },
  );
});
