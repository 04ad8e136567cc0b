/** B2, B4: what a run may cost, with all that it starts: tokens, money, time and tool calls. */
import { Agent, BudgetExceededError, MemoryJournal, type ModelProvider, RunState, Runner, resume, run } from 'loopchart';
import { answered, calls, delays, fails, hangs, inputOf, repeat, said, says, scriptedModel, user, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { used } from '../compaction/support.ts';
import { counted } from '../support/cast.ts';
import { mortal } from '../support/mortal.ts';
import { play } from '../support/scenario.ts';

const FINISH = user('Most of what this run may cost is spent. Begin nothing new: finish with what you have, and say what is left undone.');

test('B2: a call that could pass the tokens is not sent, and does not count as a turn', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick', {}, used(1_000)), says('Never.')), tools: [counted('tick').tool] });
    const { thrown, events } = await world.run(agent, 'go', { budget: { tokens: 3_000, softRatio: 1 } });
    const { kind, limit, spent } = thrown as BudgetExceededError;
    return [thrown instanceof BudgetExceededError, kind, limit, spent, events.flatMap((event) => (event.type === 'turn.settled' ? [event.guard] : []))];
  });
  // The next one is likely to read the 1,000 again, and 1,024 is what an answer is taken for of which nothing is known.
  expect(value).toEqual([true, 'tokens', 3_000, 1_000, ['callsNeedAnswer', 'budgetSpent']]);
  expect([seen.outcome, seen.error?.name, seen.turns, requests.length]).toEqual(['failed', 'BudgetExceededError', 1, 1]);
  expect(seen.error?.message).toBe('The budget of this run does not allow another model call: 1000 of 3000 tokens are spent. Go on from the state of this error with a larger budget.');
});

test('B2: exactly enough is enough', async () => {
  const script = (tokens: number) => play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick', {}, used(1_000)), says('Done.')), tools: [counted('tick').tool], modelSettings: { maxTokens: 500 } });
    return world.run(agent, 'go', { budget: { tokens, softRatio: 1 } });
  });
  const result = JSON.stringify(answered('call_1', 'done', 'tick'));
  const needed = 1_000 + 1_000 + Math.ceil(result.length / 4) + 500; // spent, read again with what came since, answered
  expect((await script(needed)).seen.outcome).toBe('completed');
  expect((await script(needed - 1)).seen.outcome).toBe('failed');
});

test('B2: the first request is measured by its bytes, tools and instructions among them', async () => {
  const { runs } = await play(async (world) => {
    const agent = (instructions: string) => new Agent({ name: 'Worker', model: world.model(says('Done.')), instructions, modelSettings: { maxTokens: 10 } });
    await world.run(agent('Short.'), 'go', { budget: { tokens: 200 } });
    return world.run(agent('x'.repeat(800)), 'go', { budget: { tokens: 200 } });
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['completed', 'failed']);
});

test('B2: without a limit of its own an answer is taken for the largest so far, and for 1,024 at least', async () => {
  const { requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick', {}, used(2_010, 2_000)), says('Never.')), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { budget: { tokens: 6_000, softRatio: 1 } }); // 2,010 spent, 2,010 read again, 2,000 answered
  });
  expect(requests.length).toBe(1);
});

test('B2: after a failure the run goes on with a larger budget, and what was spent is spent', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = () => new Agent({ name: 'Worker', model, tools: [counted('tick').tool] });
    const model = world.model(calls('tick', {}, used(1_000)), says('Done.'));
    const { state } = await world.run(agent(), 'go', { budget: { tokens: 2_000, softRatio: 1 } });
    const again = await world.run(agent(), state); // the old limit stands
    const revived = await RunState.fromString<undefined, Agent<any, any>>(agent(), again.state.toString());
    return world.run(agent(), revived, { budget: { tokens: 3_500, softRatio: 1 } });
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.message.match(/\d+ of \d+/)?.[0]])).toEqual([['failed', '1000 of 2000'], ['failed', '1000 of 2000'], ['completed', undefined]]);
  expect(requests.length).toBe(2);
});

test('B2: a run that waits goes on with another budget, which is recorded', async () => {
  const { runs, value } = await play(async (world) => {
    const journal = new MemoryJournal();
    const pay = counted('pay', 'paid', { needsApproval: true });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('pay', {}, used(1_000)), says('Done.')), tools: [pay.tool] });
    const waiting = await world.run(agent, 'go', { journal, budget: { tokens: 2_000, softRatio: 1 } });
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    await world.run(agent, waiting.state, { budget: { tokens: 9_000, softRatio: 1 } });
    return journal.read('run_test').flatMap((entry) => (entry.type === 'command' && entry.command.type === 'configure' ? [entry.command.budget?.tokens] : []));
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
  expect(value).toEqual([9_000]);
});

test('B2: the ledger is shared with nested agents: side by side they cannot overspend together', async () => {
  const { requests, value } = await play(async (world) => {
    const inner = (name: string) => new Agent({ name, model: world.model(delays(1_000, says('Mine.', used(400)), world.clock)), modelSettings: { maxTokens: 1_000 } });
    const outer = new Agent({ name: 'Outer', model: world.model(calls(['One', { input: 'go' }], ['Two', { input: 'go' }]), says('Both.')), tools: [inner('One').asTool({}), inner('Two').asTool({})], modelSettings: { maxTokens: 100 } });
    const going = world.begin(outer, 'go', { budget: { tokens: 2_000, softRatio: 1 } });
    await world.clock.runAll();
    const { events } = await going.settled;
    return events.flatMap((event) => (event.type === 'run.settled' ? [[event.path.slice(-6), event.outcome.failure?.code]] : []));
  });
  expect(requests.length).toBe(3); // one of the two was not sent
  expect(value).toEqual([['.1/run', 'budget.tokens'], ['.0/run', undefined], ['n_test', undefined]]);
});

test('B2: what nested agents spend is spent by the run', async () => {
  const { seen, requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(says('Mine.', used(5_000))) });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'go' }), says('Never.')), tools: [inner.asTool({})] });
    return world.run(outer, 'go', { budget: { tokens: 5_000, softRatio: 1 } });
  });
  expect([seen.error?.name, requests.length]).toEqual(['BudgetExceededError', 2]);
});

test('B2: past the soft limit the model is told once, in the next request, that it has to come to an end', async () => {
  const { requests, seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick', {}, used(500)), calls('tick', {}, used(8_000)), calls('tick', {}, used(50)), says('Done.', used(50))), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { budget: { tokens: 10_000_000, softRatio: 0.0008 } });
  });
  expect(requests.map(({ input }) => input.filter((item) => 'content' in item && item.content === FINISH.content).length)).toEqual([0, 0, 1, 1]);
  expect(requests[2]!.input.at(-1)).toEqual(FINISH);
  expect(seen.newItems.filter((item) => JSON.stringify(item).includes('Most of what'))).toEqual([expect.objectContaining({ type: 'input_item', rawItem: FINISH, origin: { runtime: 'budget' } })]);
});

test('B2: what nested agents spend is told to the outer one, in its next request', async () => {
  const { requests } = await play(async (world) => {
    const inner = new Agent({ name: 'Inner', model: world.model(calls('tick', {}, used(8_500)), says('Mine.', used(10))), tools: [counted('tick').tool] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'go' }, used(20)), says('Done.')), tools: [inner.asTool({})], modelSettings: { maxTokens: 10 } });
    return world.run(outer, 'go', { budget: { tokens: 20_000, softRatio: 0.4 } });
  });
  expect(requests.map(({ input }) => JSON.stringify(input).includes('Most of what'))).toEqual([false, false, false, true]);
});

test('B2, G1: the notice is stored once, and a filter does not store it again', async () => {
  const { sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(calls('tick', {}, used(8_000)), says('Done.')), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { session: world.session(), budget: { tokens: 40_000, softRatio: 0.1 }, callModelInputFilter: ({ modelData }) => modelData });
  });
  expect(sessions[0]).toEqual(inputOf('go', expect.objectContaining({ type: 'function_call' }), answered('call_1', 'done', 'tick'), FINISH, said('Done.')));
});

test('B2, O1: told before its process died, the model is not told again', async () => {
  const first = mortal((entry) => (entry.type === 'effect.done' && entry.id.includes('/turn.2/model#1') ? 'after' : undefined));
  const build = (...steps: Parameters<typeof scriptedModel>) => {
    const model = scriptedModel(...steps);
    return { model, agent: new Agent({ name: 'Worker', model, tools: [counted('tick').tool] }) };
  };
  const options = { clock: virtualClock(), budget: { tokens: 40_000, softRatio: 0.1 } };
  void run(build(calls('tick', {}, used(8_000)), calls('tick', {}, used(10))).agent, 'go', { ...options, journal: first.journal, runId: 'run_1' });
  await first.dead;
  const { model, agent } = build(says('Done.'));
  await resume('run_1', { journal: first.left('run_1'), agents: agent, clock: virtualClock() });
  expect((model.requests[0]!.input as object[]).filter((item) => JSON.stringify(item) === JSON.stringify(FINISH)).length).toBe(1);
});

test('B2: calls beyond the limit get a result that says so, nested ones among them', async () => {
  const { requests, value, seen } = await play(async (world) => {
    const tick = counted('tick');
    const inner = new Agent({ name: 'Inner', model: world.model(calls('tick'), says('Mine.')), tools: [tick.tool] });
    const outer = new Agent({ name: 'Outer', model: world.model(calls('Inner', { input: 'go' }), calls(['tick'], ['tick']), calls('tick'), says('Done.')), tools: [tick.tool, inner.asTool({})] });
    await world.run(outer, 'go', { budget: { toolCalls: 3, softRatio: 1 } });
    return tick.runs;
  });
  expect(value).toBe(2); // one by each agent; that Inner was called is a call too
  const text = 'Not run: this run may make 3 tool calls, and they are used up. Go on with what you have.';
  expect(requests[4]!.input.slice(-3)).toEqual([answered('call_2', 'done', 'tick'), answered('call_3', text, 'tick'), FINISH]);
  expect(requests[5]!.input.at(-1)).toEqual(answered('call_4', text, 'tick'));
  expect(seen.finalOutput).toBe('Done.');
});

test('B2: calls that cannot run are not counted', async () => {
  const { value } = await play(async (world) => {
    const tick = counted('tick');
    await world.run(new Agent({ name: 'Worker', model: world.model(calls(['none'], ['tick', '{'], ['tick']), says('Done.')), tools: [tick.tool] }), 'go', { budget: { toolCalls: 1 } });
    return tick.runs;
  });
  expect(value).toBe(1);
});

const PRICES = { large: { inputPerMillion: 10, outputPerMillion: 100, cachedInputPerMillion: 1 }, small: { inputPerMillion: 1, outputPerMillion: 10 } };

test('B2: cost is counted by the price of each model, cached input at its own', async () => {
  const { value } = await play(async (world) => {
    const model = world.model(
      calls('tick', {}, { usage: { inputTokens: 100_000, outputTokens: 1_000, inputTokensDetails: { cached_tokens: 50_000 } } }), // 0.5 + 0.05 + 0.1
      calls('tick', {}, { usage: { inputTokens: 10_000, outputTokens: 10 } }), // 0.1 + 0.001
      says('Never.'),
    );
    const runner = new Runner({ modelProvider: { getModel: () => model } satisfies ModelProvider });
    const { thrown } = await world.run(new Agent({ name: 'Worker', model: 'large', tools: [counted('tick').tool], modelSettings: { maxTokens: 10 } }), 'go', { runner, budget: { costUsd: 0.85, softRatio: 1, prices: PRICES } });
    return [(thrown as BudgetExceededError).kind, (thrown as BudgetExceededError).spent.toFixed(3), model.requests.length];
  });
  expect(value).toEqual(['cost', '0.650', 1]);
});

test('B2: costs are limited for no model whose price is unknown', async () => {
  const { runs, requests } = await play(async (world) => {
    const model = world.model(says('Never.'));
    const runner = new Runner({ modelProvider: { getModel: () => model } satisfies ModelProvider });
    const options = { runner, budget: { costUsd: 1, prices: PRICES } };
    await world.run(new Agent({ name: 'Worker', model: 'other' }), 'go', options);
    return world.run(new Agent({ name: 'Worker', model }), 'go', options);
  });
  expect(runs.map(({ error, turns }) => [error?.name, error?.message, turns])).toEqual([
    ['UserError', 'The budget limits the cost, and model "other" of agent "Worker" has no price. Add it to budget.prices.', 0],
    ['UserError', 'The budget limits the cost, and agent "Worker" has a model without a name, which cannot have a price. Give the model by its name.', 0],
  ]);
  expect(requests).toEqual([]);
});

test('B2: wall time is checked before each call, and a call that is under way may end', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(delays(5_000, calls('tick'), world.clock), says('Never.')), tools: [counted('tick').tool] });
    const going = world.begin(agent, 'go', { budget: { wallTimeMs: 3_000, softRatio: 1 } });
    await world.clock.advance(10_000);
    const { kind, limit, spent } = (await going.settled).thrown as BudgetExceededError;
    return [kind, limit, spent];
  });
  expect([seen.outcome, requests.length, value]).toEqual(['failed', 1, ['time', 3_000, 5_000]]);
  expect(seen.story).toEqual(['Worker: calls tick {}', 'Worker: gets tick "done"']);
});

test('B2: a hard deadline interrupts whatever is at work, and says why', async () => {
  const { seen, value } = await play(async (world) => {
    const journal = new MemoryJournal();
    const going = world.begin(new Agent({ name: 'Worker', model: world.model(hangs()) }), 'go', { journal, budget: { wallTimeMs: 3_000, hardDeadline: true } });
    await world.clock.advance(2_999);
    const before = going.events.some(({ type }) => type === 'run.settled');
    await world.clock.advance(1);
    const { thrown } = await going.settled;
    const told = journal.read('run_test').flatMap((entry) => (entry.type === 'command' && entry.command.type === 'interrupt' ? [entry.command.reason] : []));
    return [before, (thrown as BudgetExceededError).kind, told];
  });
  expect([seen.outcome, seen.error?.name]).toEqual(['interrupted', 'BudgetExceededError']);
  expect(value).toEqual([false, 'time', ['deadline']]);
});

test.each([[500, 500], [1_000, 0], [3_600_000, 0]])('O6, B2: with the process gone for %i ms the deadline comes after %i ms more', async (gap, left) => {
  const { seen, value } = await play(async (world) => {
    const first = mortal();
    const agent = new Agent({ name: 'Worker', model: world.model(hangs(), hangs()) });
    world.begin(agent, 'go', { journal: first.journal, budget: { wallTimeMs: 3_000, hardDeadline: true } });
    await world.clock.advance(2_000);
    first.die();
    await world.clock.advance(gap);
    const going = world.goOn('run_test', { journal: first.left('run_test'), agents: agent });
    await world.clock.advance(Math.max(0, left - 1));
    const early = going.events.some(({ type }) => type === 'run.settled');
    await world.clock.advance(1);
    await going.settled;
    return early;
  });
  expect([seen.outcome, seen.error?.name, value]).toEqual(['interrupted', 'BudgetExceededError', left === 0]);
});

test('B4, A3: a final output is not lost to a budget: a steer that would need another call comes back', async () => {
  const { seen, value, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Worker', model: world.model(delays(1_000, says('Done.', used(2_000)), world.clock)) });
    const going = world.begin(agent, 'go', { budget: { tokens: 3_000 } });
    await going.until('turn.started');
    (await going.state).addInput('and in blue');
    await world.clock.advance(1_000);
    return (await going.settled).state.source.outcome?.undelivered.map(({ item }) => item);
  }, { only: 'streamed' });
  expect([seen.outcome, seen.finalOutput, requests.length]).toEqual(['completed', 'Done.', 1]);
  expect(value).toEqual(inputOf('and in blue'));
});

test('B4: an answer that went beyond the budget is an answer', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(says('Done.', used(100_000))) }), 'go', { budget: { tokens: 3_000 } }));
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
});

test('B2, K1: what was set aside for a call that failed is free again', async () => {
  const { seen } = await play(async (world) => {
    const retry = { maxRetries: 1, policy: () => ({ retry: true, delayMs: 0 }) };
    const going = world.begin(new Agent({ name: 'Patient', model: world.model(fails({ status: 503 }), says('There.')), modelSettings: { retry, maxTokens: 700 } }), 'go', { budget: { tokens: 1_000 } });
    await world.clock.runAll();
    return going.settled;
  });
  expect(seen.finalOutput).toBe('There.');
});

test('B2, N1: a compaction is paid for out of the budget', async () => {
  const { seen, requests } = await play(async (world) => {
    const agent = new Agent({ name: 'Reader', model: world.model(calls('tick', {}, used(950)), says('Never.')), tools: [counted('tick').tool] });
    return world.run(agent, 'go', { compaction: { contextWindow: 1_000 }, budget: { tokens: 1_500, softRatio: 1 } });
  });
  expect([seen.outcome, seen.error?.name, requests.length]).toEqual(['failed', 'BudgetExceededError', 1]);
});

test.each([
  [{ tokens: -1 }, 'tokens'], [{ costUsd: Number.NaN }, 'costUsd'], [{ softRatio: 0 }, 'softRatio'], [{ prices: { large: {} } }, 'price of "large"'], [{ hardDeadline: 'yes' }, 'hardDeadline'],
] as const)('B2: %o is refused before anything runs', async (budget, words) => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model() }), 'go', { budget: budget as never }));
  expect([seen.outcome, seen.error?.name, seen.error?.message.includes(words)]).toEqual(['refused', 'UserError', true]);
});

test('B2: without a budget nothing is limited', async () => {
  const { seen } = await play(async (world) => world.run(new Agent({ name: 'Worker', model: world.model(repeat(8, calls('tick', {}, used(1_000_000))), says('Done.')), tools: [counted('tick').tool] }), 'go'));
  expect(seen.outcome).toBe('completed');
});

test('B2: a budget of the runner holds for its runs, unless a run has its own', async () => {
  const { runs } = await play(async (world) => {
    const runner = new Runner({ budget: { tokens: 10 } });
    const agent = new Agent({ name: 'Worker', model: world.model(says('Done.')) });
    await world.run(agent, 'go', { runner });
    return world.run(agent, 'go', { runner, budget: {} });
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['failed', 'completed']);
});
