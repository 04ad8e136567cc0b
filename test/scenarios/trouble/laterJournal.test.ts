/** A journal that answers later, as those do that write to disk or network, changes when things happen, and nothing else. */
import { Agent, MemoryJournal, type Journal, run, tool } from 'loopchart';
import { calls, fails, hangs, responds, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, refund } from '../support/cast.ts';
import { type World, play } from '../support/scenario.ts';

/** Every answer takes a few turns of the promise queue. */
function laterJournal(): Journal {
  const journal = new MemoryJournal();
  const later = async <Value>(answer: () => Value): Promise<Value> => {
    for (let nth = 0; nth < 3; nth += 1) await Promise.resolve();
    return answer();
  };
  return {
    open: (runId) => later(() => journal.open(runId)),
    append: (runId, at, entries) => later(() => journal.append(runId, at, entries)),
    read: (runId, from) => later(() => journal.read(runId, from)),
    list: () => later(() => journal.list()),
    tail: (runId, from, signal) => journal.tail(runId, from, signal),
    remove: (runId) => later(() => journal.remove(runId)),
    release: (runId, epoch) => later(() => journal.release(runId, epoch)),
    prune: (retention) => later(() => journal.prune(retention)),
    close: () => later(() => journal.close()),
  };
}

type Script = (world: World, options: { journal?: Journal }) => Promise<unknown>;

const SCRIPTS: Record<string, Script> = {
  'tools side by side, a failure, and going on from it': async (world, options) => {
    const agent = new Agent({ name: 'A', model: world.model(calls(['tick'], ['tock']), fails({ status: 500 }), says('Done.')), tools: [counted('tick').tool, counted('tock').tool] });
    const failed = await world.run(agent, 'go', options);
    return world.run(agent, failed.state, options);
  },
  'an approval and a handoff': async (world, options) => {
    const model = world.model(responds(calls('refund', { order: 7 }), calls('transfer_to_B')), says('B here.'));
    const agent = new Agent({ name: 'A', model, tools: [refund], handoffs: [new Agent({ name: 'B', model })] });
    const waiting = await world.run(agent, 'go', options);
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    return world.run(agent, waiting.state);
  },
  'an interrupt while tools are at work': async (world, options) => {
    const agent = new Agent({ name: 'A', model: world.model(calls(['tick'], ['slow'])), tools: [counted('tick').tool, counted('slow', () => new Promise(() => undefined)).tool] });
    const going = world.begin(agent, 'go', options);
    await going.until('item.completed');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  },
  'a soft stop': async (world, options) => {
    const atWork = latch<string>();
    const agent = new Agent({ name: 'A', model: world.model(calls('slow')), tools: [counted('slow', () => atWork.promise).tool] });
    const going = world.begin(agent, 'go', options);
    await going.until('tool.started');
    going.softStop();
    await world.clock.settle();
    atWork.open('slow');
    return going.settled;
  },
  'a trip beside the model': async (world, options) => {
    const agent = new Agent({ name: 'A', model: world.model(hangs()), inputGuardrails: [{ name: 'no', execute: async () => (await world.clock.settle(), { tripwireTriggered: true, outputInfo: null }) }] });
    return world.run(agent, 'go', options);
  },
};
for (const [name, script] of Object.entries(SCRIPTS)) {
  test(`a later journal brings the same: ${name}`, async () => {
    const atOnce = await play((world) => script(world, {}));
    const later = await play((world) => script(world, { journal: laterJournal() }));
    expect(later.runs).toEqual(atOnce.runs);
    expect(later.requests).toEqual(atOnce.requests);
    expect(later.runs.map(({ events }) => events)).toEqual(atOnce.runs.map(({ events }) => events));
  });
}

test('J2: with a later journal too, cancel and leaving the iteration resolve only when the run has settled', async () => {
  for (const leave of ['cancel', 'break'] as const) {
    const clock = virtualClock();
    const log: string[] = [];
    const model = scriptedModel(hangs(2, says('one two')));
    const stream = await run(new Agent({ name: 'A', model }), 'go', { stream: true, clock, journal: laterJournal(), onEvent: ({ type }) => void log.push(type) });
    await clock.settle();
    if (leave === 'cancel') await stream.cancel();
    else for await (const event of stream) if (event.type === 'raw_model_stream_event') break;
    expect([leave, log.at(-1), stream.state.source.outcome?.status]).toEqual([leave, 'run.settled', 'interrupted']);
  }
});

test('J4: an interrupt that comes while the start of a body is being written is written after it, and no write overtakes another; the body does not even begin', async () => {
  const clock = virtualClock();
  const log: string[] = [];
  const slow = tool({
    name: 'slow', description: 'Never ends.', parameters: z.object({}),
    execute: () => (log.push('begun'), new Promise(() => undefined)),
  });
  const written = latch();
  const asked = latch();
  const journal = new MemoryJournal();
  const held: Journal = Object.assign(Object.create(journal) as MemoryJournal, {
    open: (runId: string) => journal.open(runId),
    append: async (...[runId, at, entries]: Parameters<MemoryJournal['append']>) => {
      if (entries[0]!.type === 'effect.started') {
        asked.open();
        await written.promise;
      }
      journal.append(runId, at, entries);
      log.push(...entries.map((entry) => (entry.type === 'command' ? entry.command.type : entry.type)));
    },
  });
  const controller = new AbortController();
  const running = run(new Agent({ name: 'A', model: scriptedModel(calls('slow')), tools: [slow] }), 'go', { clock, journal: held, signal: controller.signal }).catch((error: Error) => error.name);
  await asked.promise;
  controller.abort();
  await clock.settle();
  written.open();
  await clock.runAll();
  expect([await running, log]).toEqual(['AbortError', ['run.start', 'effect.done', 'effect.started', 'interrupt', 'run.rest']]);
});
