/** K3–K5: what a run throws, what it carries, and that a bug is not dressed as something else. */
import { Agent, AgentsError, JournalConflict, MaxTurnsExceededError, MemoryJournal, ModelBehaviorError, RunState, Runner, run } from 'loopchart';
import { answered, asked, calls, fails, hangs, inputOf, refuses, repeat, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';
import { type World, play } from '../support/scenario.ts';

const boom = new Error('disk full');

/** Everything that can end a run badly. */
const ENDS: Record<string, (world: World) => Promise<unknown>> = {
  'a provider error': (world) => world.run(new Agent({ name: 'A', model: world.model(fails({ status: 500 })) }), 'go'),
  'too many turns': (world) => world.run(new Agent({ name: 'A', model: world.model(calls('tick')), tools: [counted('tick').tool] }), 'go', { maxTurns: 1 }),
  'a refusal': (world) => world.run(new Agent({ name: 'A', model: world.model(refuses('No.')) }), 'go'),
  'instructions that throw': (world) => world.run(new Agent({ name: 'A', model: world.model(), instructions: () => { throw boom; } }), 'go'),
  'a callModelInputFilter that throws': (world) => world.run(new Agent({ name: 'A', model: world.model() }), 'go', { callModelInputFilter: () => { throw boom; } }),
  'an interrupt': async (world) => {
    const going = world.begin(new Agent({ name: 'A', model: world.model(hangs()) }), 'go');
    await going.until('turn.started');
    await world.clock.settle();
    going.interrupt();
    return going.settled;
  },
};
for (const [end, script] of Object.entries(ENDS)) {
  test(`K3: what is thrown for ${end} carries the state, not enumerable`, async () => {
    const { value } = await play(async (world) => {
      const { thrown } = (await script(world)) as { thrown: object };
      const state = Object.getOwnPropertyDescriptor(thrown, 'state');
      return [state?.value instanceof RunState, state?.enumerable];
    }, end === 'an interrupt' ? { only: 'plain' } : {});
    expect(value).toEqual([true, false]);
  });
}

test('K4: code of the app that throws fails the run with that very error', async () => {
  const { value } = await play(async (world) => {
    const thrown = [];
    for (const end of ['instructions that throw', 'a callModelInputFilter that throws']) thrown.push(((await ENDS[end]!(world)) as { thrown: unknown }).thrown);
    return thrown.map((error) => error === boom);
  });
  expect(value).toEqual([true, true]);
});

test('K4: a model provider that cannot make its model is not dressed as a model failure', async () => {
  const { value } = await play(async (world) => {
    const runner = new Runner({ modelProvider: { getModel: () => { throw boom; } } });
    return (await world.run(new Agent({ name: 'A' }), 'go', { runner })).thrown === boom;
  });
  expect(value).toBe(true);
});

type JournalEntry = Parameters<MemoryJournal['append']>[2][number];

/** A journal that refuses entries of one kind, later or at once. */
class RefusingJournal extends MemoryJournal {
  readonly #type: JournalEntry['type'];
  readonly #later: boolean;

  constructor(type: JournalEntry['type'], later: boolean) {
    super();
    this.#type = type;
    this.#later = later;
  }

  override append(...[runId, at, entries]: Parameters<MemoryJournal['append']>): void | Promise<void> {
    if (!entries.some(({ type }) => type === this.#type)) return super.append(runId, at, entries);
    if (this.#later) return Promise.reject(boom);
    throw boom;
  }
}
for (const type of ['run.start', 'effect.started', 'effect.done'] as const) {
  for (const later of [false, true]) {
    test(`K4: a journal that ${later ? 'later ' : ''}refuses ${type} rejects the run with its own error; nothing runs on`, async () => {
      const clock = virtualClock();
      const tick = counted('tick');
      const model = scriptedModel(calls('tick'));
      const thrown = await run(new Agent({ name: 'A', model, tools: [tick.tool] }), 'go', { clock, journal: new RefusingJournal(type, later) as MemoryJournal }).catch((error: unknown) => error);
      await clock.settle();
      expect([thrown === boom, tick.runs, model.requests.length, clock.pending]).toEqual([true, 0, type === 'run.start' ? 0 : 1, []]);
    });
  }
}

test('K4: a journal that cannot be opened rejects the run, and the signal is let go', async () => {
  const { value } = await play(async (world) => {
    const journal = Object.assign(new MemoryJournal(), { open: () => Promise.reject(new JournalConflict('run_test', 'it is locked')) });
    const { thrown } = await world.run(new Agent({ name: 'A', model: world.model() }), 'go', { journal });
    return thrown instanceof JournalConflict;
  });
  expect(value).toBe(true);
});

test('K3: an error can be thrown by programs that know nothing of us: a provider error keeps its class and fields', async () => {
  const { value } = await play(async (world) => {
    const { thrown } = await world.run(new Agent({ name: 'A', model: world.model(fails({ status: 429, retryAfterMs: 5 })) }), 'go');
    return [thrown instanceof AgentsError, (thrown as { status?: number }).status];
  });
  expect(value).toEqual([false, 429]);
});

test('K5: in another process, from the text of the state, the error is of the same class, and the run goes on after what was recorded', async () => {
  const { value, requests, seen } = await play(async (world) => {
    const tick = counted('tick');
    const agent = new Agent({ name: 'A', model: world.model(calls('tick'), calls('tick'), says('Done.')), tools: [tick.tool] });
    const first = await world.run(agent, 'go', { maxTurns: 1 });
    const again = await RunState.fromString<undefined, Agent<any, any>>(agent, first.state.toString());
    const second = await world.run(agent, again, { maxTurns: 2 });
    const third = await world.run(agent, second.state, { maxTurns: 5 });
    return [first, second, third].map(({ thrown }) => thrown instanceof MaxTurnsExceededError).concat(tick.runs === 2);
  });
  expect(value).toEqual([true, true, false, true]);
  expect(requests.at(-1)!.input).toEqual(inputOf('go', asked('tick', {}, 'call_1'), answered('call_1', 'done'), asked('tick', {}, 'call_2'), answered('call_2', 'done')));
  expect(seen.finalOutput).toBe('Done.');
});

test('K4: a model that answers with what the protocol forbids fails as such, and is not retried', async () => {
  const { value, requests } = await play(async (world) => {
    const model = world.model(calls(['tick', {}, { callId: '' }]));
    const { thrown } = await world.run(new Agent({ name: 'A', model, tools: [counted('tick').tool], modelSettings: { retry: { maxRetries: 2, policy: () => true } } }), 'go');
    return thrown instanceof ModelBehaviorError;
  });
  expect([value, requests.length]).toEqual([true, 1]);
});

test('K5: however often a run fails, it goes on where it was', async () => {
  const { runs, value } = await play(async (world) => {
    const tick = counted('tick');
    const agent = new Agent({ name: 'A', model: world.model(fails({ network: true }), calls('tick'), ...[repeat(3, fails({ network: true }))], says('Done.')), tools: [tick.tool] });
    let seen = await world.run(agent, 'go');
    while (seen.outcome === 'failed') seen = await world.run(agent, seen.state);
    return tick.runs;
  });
  expect([runs.length, runs.at(-1)!.finalOutput, value]).toEqual([5, 'Done.', 1]);
});
