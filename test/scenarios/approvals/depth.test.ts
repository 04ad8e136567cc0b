/** D1, D6, F5, J2, J4 at every depth: what waits, is decided, stopped and counted inside of agents that are used as tools. */
import { Agent, MemorySession, RunState, approvalNeeded, questionTool, tool, type RunToolApprovalItem } from 'loopchart';
import { calls, hangs, says, type Step } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, counted, latch, refund } from '../support/cast.ts';
import { type Going, type World, play } from '../support/scenario.ts';

const NAMES = ['Desk', 'Clerk', 'Cashier', 'Vault'];
const depthOf = (path: string) => path.split(/\/run(?=\/|$)/).length - 1;
const never = () => new Promise<never>(() => undefined);

const seat = questionTool({ name: 'ask', description: 'Asks.', parameters: z.object({}), questions: () => [{ id: 'seat', text: 'Which seat?', options: ['1A', '1B'] }] });
const buy = tool({
  name: 'buy', description: 'Buys.', parameters: z.object({}),
  execute: (_input, _context, details) => (details?.approval ? `bought, ${details.approval.comment}` : Promise.reject(approvalNeeded('it costs 500'))),
});

interface Chain {
  /** Agents below the first one. */
  depth: number;
  tools: Agent<any, any>['tools'];
  /** What the innermost agent does. */
  steps: Step[];
  /** Calls that each of the others makes beside that of the next agent. */
  beside?: { tools: Agent<any, any>['tools']; calls: string[] };
  innermost?: Partial<ConstructorParameters<typeof Agent>[0]>;
}

/** An agent that asks the next one, down to the one that does the work. */
function chain(world: World, { depth, tools, steps, beside = { tools: [], calls: [] }, innermost }: Chain): Agent<any, any> {
  let agent = new Agent<any, any>({ name: NAMES[depth]!, model: world.model(...steps), tools, ...innermost });
  for (let level = depth - 1; level >= 0; level -= 1) {
    const { name } = agent;
    const asks = calls(...([[name, { input: 'go' }], ...beside.calls.map((call) => [call])] as [[string, object], ...[string][]]));
    agent = new Agent<any, any>({ name: NAMES[level]!, model: world.model(asks, says(`${NAMES[level]} is done`)), tools: [agent.asTool({}), ...beside.tools] });
  }
  return agent;
}

const places = (path: readonly string[]) => path.map((place) => place.replaceAll('agent.1/turn.1/', '').replace('run_test/', ''));
const byName = (state: RunState<any, any>): Record<string, RunToolApprovalItem> => Object.fromEntries(state.getInterruptions().map((item) => [item.name, item]));

describe.each([1, 2, 3])('with agents as tools, %i deep', (depth) => {
  const work = (world: World) => chain(world, { depth, tools: [refund, seat, buy], steps: [calls(['refund', { order: 7 }], ['ask'], ['buy']), says('It is done.')] });

  test(`D1, D8, D9: calls wait on the outer run with the way that leads to them, and are decided there (${depth} deep)`, async () => {
    const { runs, value } = await play(async (world) => {
      const agent = work(world);
      const { state } = await world.run(agent, 'go');
      const { refund: approval, ask, buy: body } = byName(state);
      const shown = [approval, ask, body].map((item) => [item!.agent.name, places(item!.path), item!.id.split('/').at(-1)]);
      state.reject(approval!, { message: 'No refund.' });
      state.answer(ask!, { seat: '1B' });
      state.approve(body!, { reason: 'go on' });
      const seen = await world.run(agent, state);
      return { shown, results: seen.events.flatMap((event) => (event.type === 'item.completed' && event.agent === NAMES[depth] && event.item?.type === 'function_call_result' ? [JSON.stringify(event.item.output)] : [])) };
    });
    const way = (index: number) => [...Array(depth).fill('toolCall.1.0'), `toolCall.1.${index}`];
    expect(value.shown).toEqual([[NAMES[depth], way(0), 'approval#1'], [NAMES[depth], way(1), 'question#1'], [NAMES[depth], way(2), 'approval#2']]);
    expect(value.results.map((text) => JSON.parse(text).text)).toEqual(expect.arrayContaining(['No refund.', '1B', 'bought, go on']));
    expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
    expect([runs[1]!.finalOutput, runs[1]!.usage.requests]).toEqual(['Desk is done', 2 * (depth + 1)]); // A8: usage is shared
  });

  test(`D5, D6: decided one by one, from the text of the state each time, nothing runs that nobody has spoken of (${depth} deep)`, async () => {
    const { value, seen } = await play(async (world) => {
      const agent = work(world);
      let { state } = await world.run(agent, 'go');
      const waits: string[][] = [];
      for (const name of ['ask', 'buy', 'refund']) {
        state = await RunState.fromString<undefined, Agent<any, any>>(agent, state.toString());
        waits.push(state.getInterruptions().map((item) => item.name!));
        const item = byName(state)[name]!;
        if (item.questions) state.answer(item, { seat: '1A' });
        else state.approve(item);
        ({ state } = await world.run(agent, state));
      }
      return waits;
    });
    expect(value).toEqual([['refund', 'ask', 'buy'], ['refund', 'buy'], ['refund']]);
    expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Desk is done']);
  });

  test(`D4: decided while other calls are at work at every depth, it takes effect at once (${depth} deep)`, async () => {
    const { seen } = await play(async (world) => {
      const held = latch<string>();
      const beside = { tools: [counted('slow', () => held.promise).tool], calls: ['slow'] };
      const agent = chain(world, { depth, tools: [refund], steps: [calls('refund', { order: 7 }), says('It is done.')], beside });
      const going = world.begin(agent, 'go');
      await going.until('approval.requested');
      const state = await going.state;
      state.approve(byName(state)['refund']!);
      await going.until((event) => event.type === 'tool.started' && event.call.name === 'refund');
      held.open('slow');
      return going.settled;
    }, { only: 'streamed' });
    expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Desk is done']);
  });

  test(`I2, J2: a nested run that fails asks nobody any more: what waits in it is withdrawn before it ends (${depth} deep)`, async () => {
    const { seen } = await play(async (world) => {
      const asked = latch();
      const broken = tool({ name: 'broken', description: 'Fails.', parameters: z.object({}), errorFunction: null, execute: async () => { await asked.promise; throw new Error('no luck'); } });
      const agent = chain(world, { depth, tools: [refund, seat, buy, broken], steps: [calls(['refund', { order: 7 }], ['ask'], ['buy'], ['broken'])] });
      const going = world.begin(agent, 'go');
      await going.until((event) => event.type === 'approval.requested' && event.call.name === 'buy');
      asked.open();
      return going.settled;
    });
    const innermost = seen.events.filter(({ path }) => depthOf(path) === depth);
    const end = innermost.slice(innermost.findIndex((event) => event.type === 'item.completed' && event.status === 'failed') + 1);
    expect(end.map((event) => ('decision' in event ? `${event.call.name} ${event.decision}` : event.type))).toEqual([
      'refund withdrawn', 'ask withdrawn', 'buy withdrawn', ...Array(3).fill('item.completed'), 'turn.settled', 'run.settled',
    ]);
    expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Desk is done']);
  });

  test(`J2, J4: an interrupt resolves what waits at every depth, then ends everything from the inside out, then the run (${depth} deep)`, async () => {
    const { seen } = await play(async (world) => {
      const beside = { tools: [counted('slow', never).tool, refund], calls: ['slow'] };
      const agent = chain(world, { depth, tools: [refund, seat, buy, counted('stuck', never).tool], steps: [calls(['refund', { order: 7 }], ['ask'], ['buy'], ['stuck'])], beside });
      const going = world.begin(agent, 'go', { interruptNotice: false });
      await going.until((event) => event.type === 'approval.requested' && event.call.name === 'buy');
      going.interrupt();
      await world.clock.runAll();
      return going.settled;
    });
    const end = seen.events.filter(({ cause }) => cause === 'interrupt');
    const levels = end.map(({ type, path }) => `${type} ${depthOf(path)}`);
    const inner = (level: number) => (level === depth ? Array(4).fill(`item.completed ${depth}`) : [`item.completed ${level}`]);
    const wound = Array.from({ length: depth + 1 }, (_, nth) => depth - nth).flatMap((level) => [...inner(level), `turn.settled ${level}`, `run.settled ${level}`]);
    const sequence = levels.filter((line) => !line.startsWith('run.resumed'));
    expect(sequence.slice(0, 3)).toEqual(Array(3).fill(`approval.resolved ${depth}`));
    expect(sequence.slice(3).sort()).toEqual([...wound, ...Array.from({ length: depth }, (_, level) => `item.completed ${level}`)].sort());
    expect(sequence.at(-1)).toBe('run.settled 0');
    expect(seen.outcome).toBe('interrupted');
    expect(seen.story.slice(2)).toEqual([`Desk: gets ${NAMES[1]} "aborted by user after 0.0s"`, `Desk: gets slow "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"`]);
  });

  test(`J1, F5: a soft stop lets the runs inside finish what they are at, and starts no turn outside (${depth} deep)`, async () => {
    const { seen } = await play(async (world) => {
      const held = latch<string>();
      const agent = chain(world, { depth, tools: [counted('slow', () => held.promise).tool], steps: [calls('slow'), calls('slow'), says('It is done.')] });
      const going = world.begin(agent, 'go');
      await going.until((event) => event.type === 'tool.started' && event.call.name === 'slow');
      going.softStop();
      held.open('slow');
      return going.settled;
    });
    expect(seen.outcome).toBe('stopped');
    expect(seen.story).toEqual([`Desk: calls ${NAMES[1]} {"input":"go"}`, `Desk: gets ${NAMES[1]} "${depth === 1 ? 'It is done.' : `${NAMES[1]} is done`}"`]);
    expect(seen.usage.requests).toBe(1 + 2 * (depth - 1) + 3);
  });

  test(`D7: what waits expires at every depth, and the runs around it go on (${depth} deep)`, async () => {
    const { runs } = await play(async (world) => {
      const agent = chain(world, { depth, tools: [refund], steps: [calls('refund', { order: 7 }), says('It is done.')] });
      const { state } = await world.run(agent, 'go', { approvalExpiresAfterMs: 1_000 });
      await world.clock.advance(1_000);
      return world.run(agent, state, { approvalExpiresAfterMs: 1_000 });
    });
    expect(runs.map(({ outcome, interruptions }) => [outcome, interruptions.length])).toEqual([['waiting', 1], ['completed', 0]]);
    expect(runs[1]!.events.flatMap((event) => (event.type === 'approval.resolved' ? [event.decision] : []))).toEqual(['expired']);
  });
});

interface Phase { of: Omit<Chain, 'depth'>; reached: (going: Going, world: World) => Promise<unknown> }
const settled = async (_going: Going, world: World) => world.clock.settle();
const inside = (type: string, agent = 'Cashier') => async (going: Going, world: World) => (await going.until((event) => event.type === type && event.agent === agent), await world.clock.settle());

/** Where the innermost run can be when the outermost is interrupted; each waits for something that does not come. */
const PHASES: Record<string, Phase> = {
  'its input is built': { of: { tools: [], steps: [] }, reached: settled },
  'its instructions are resolved': { of: { tools: [], steps: [], innermost: { instructions: never } }, reached: settled },
  'its guardrails look first': { of: { tools: [], steps: [], innermost: { inputGuardrails: [{ name: 'g', runInParallel: false, execute: never }] } }, reached: settled },
  'its guardrails look beside the model': { of: { tools: [refund], steps: [calls('refund', { order: 7 })], innermost: { inputGuardrails: [{ name: 'g', execute: never }] } }, reached: inside('item.started') },
  'its model answers': { of: { tools: [], steps: [hangs()] }, reached: inside('turn.started') },
  'its tool is asked about': { of: { tools: [{ ...refund, needsApproval: never }], steps: [calls('refund', { order: 7 })] }, reached: inside('item.started') },
  'its tool is at work': { of: { tools: [counted('slow', never).tool], steps: [calls('slow')] }, reached: inside('tool.started') },
  'its call waits': { of: { tools: [refund, counted('slow', never).tool], steps: [calls(['refund', { order: 7 }], ['slow'])] }, reached: inside('approval.requested') },
  'its output is guarded': { of: { tools: [], steps: [says('Done.')], innermost: { outputGuardrails: [{ name: 'g', execute: never }] } }, reached: inside('turn.settled') },
};

for (const [phase, { of, reached }] of Object.entries(PHASES)) {
  test(`J2, J4: interrupted two agents deep while ${phase}: nothing begins any more`, async () => {
    const { seen } = await play(async (world) => {
      const agent = chain(world, { depth: 2, ...of });
      if (phase === 'its input is built') for (const delegate of delegatesOf(agent)) if (delegate.agent.name === 'Cashier') delegate.buildInput = never;
      const going = world.begin(agent, 'go', { interruptNotice: false });
      await reached(going, world);
      going.interrupt();
      await world.clock.runAll();
      return going.settled;
    });
    expect([seen.outcome, seen.story]).toEqual(['interrupted', ['Desk: calls Clerk {"input":"go"}', 'Desk: gets Clerk "aborted by user after 0.0s"']]);
    const runs = seen.events.filter(({ type }) => type === 'run.settled').map(({ path }) => depthOf(path));
    expect(runs).toEqual([2, 1, 0]);
  });
}

function delegatesOf(agent: Agent<any, any>): { agent: Agent<any, any>; buildInput: unknown }[] {
  return agent.tools.flatMap((one) => (one.type === 'function' && one.delegate ? [one.delegate, ...delegatesOf(one.delegate.agent)] : []));
}

test('J2, D2: rejected with interrupt inside of an agent, the call keeps its message and the whole run ends there', async () => {
  const { runs } = await play(async (world) => {
    const agent = chain(world, { depth: 2, tools: [refund], steps: [calls(['refund', { order: 1 }], ['refund', { order: 2 }])] });
    const { state } = await world.run(agent, 'go');
    const [first] = state.getInterruptions();
    state.reject(first!, { message: 'Stop everything.', interrupt: true });
    return world.run(agent, state, { interruptNotice: false });
  });
  expect(runs[1]!.outcome).toBe('interrupted');
  const ends = runs[1]!.events.flatMap((event) => (event.type === 'item.completed' && event.agent === 'Cashier' && event.item?.type === 'function_call_result' ? [(event.item.output as { text: string }).text] : []));
  expect(ends).toEqual(['Stop everything.', 'aborted by user after 0.0s']);
});

test('F5, J4: an agent with a session of its own is interrupted without a trace of what did not finish', async () => {
  const { value, seen } = await play(async (world) => {
    const session = new MemorySession();
    const inner = new Agent({ name: 'Clerk', model: world.model(calls('slow')), tools: [counted('slow', never).tool] });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('Clerk', { input: 'go' })), tools: [inner.asTool({ runOptions: { session } })] });
    const going = world.begin(agent, 'go');
    await going.until((event) => event.type === 'tool.started' && event.call.name === 'slow');
    going.interrupt();
    await world.clock.runAll();
    await going.settled;
    return (await session.getItems()).map((item) => item.type);
  });
  expect(seen.outcome).toBe('interrupted');
  expect(value.slice(0, 3)).toEqual(['message', 'function_call', 'function_call_result']);
});
