/** States that a thread can be found in, each as it is reached: what goes on ends by itself when the clock moves. */
import { Agent, type Model, retryPolicies, tool } from 'loopchart';
import { answersWith, calls, fails, responds, says, type ScriptedModel, type Step, type VirtualClock } from 'loopchart/testing';
import type { ThreadOptions } from 'loopchart/thread';
import { z } from 'zod';
import type { PlayedThread, ThreadWorld } from '../../support/threadScenario.ts';

/** So long everything takes that takes time, in ms. */
export const LONG = 10_000;

export interface Moment {
  name: string;
  /** Brings a thread there. One run, `run.1`, has completed before. */
  reach(world: ThreadWorld): Promise<PlayedThread>;
}

type Parts = Partial<ConstructorParameters<typeof Agent>[0]> & { options?: Omit<ThreadOptions<any>, 'journal' | 'clock'> };

/** The first run of every thread, then what the moment is about, then whatever is still asked for. */
function made(world: ThreadWorld, steps: Step[], { options, ...parts }: Parts = {}, wrap: (model: ScriptedModel) => Model = (model) => model): PlayedThread {
  const model = world.model(says('First.'), ...steps, ...Array.from({ length: 12 }, (_, at) => says(`Answer ${at + 1}.`)));
  return world.thread(new Agent({ name: 'A', model: wrap(model), ...parts }), options);
}

async function going(thread: PlayedThread): Promise<void> {
  await thread.run('One.');
  await thread.run('Two.').started;
}

const tools = ({ clock }: ThreadWorld) => ({
  slow: tool({ name: 'slow', description: 'Takes long.', parameters: z.object({}), effect: 'pure', execute: (_input, _context, details) => ends(clock, details?.signal) }),
  deaf: tool({ name: 'deaf', description: 'Does not hear.', parameters: z.object({}), effect: 'pure', execute: () => ends(clock) }),
  pay: tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), needsApproval: true, execute: () => 'paid' }),
});

const ends = (clock: VirtualClock, signal?: AbortSignal) =>
  new Promise<string>((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve('done'), LONG);
    signal?.addEventListener('abort', () => (clock.clearTimeout(timer), reject(signal.reason as Error)), { once: true });
  });

/** The answer to the nth request stops for a while when so many events have come. */
const stalling = (clock: VirtualClock, nth: number, events: number) => (model: ScriptedModel): Model => {
  const { getStreamedResponse } = model;
  let asked = 0;
  model.getStreamedResponse = (request) => {
    asked += 1;
    const stream = getStreamedResponse.call(model, request);
    return asked === nth ? stalled(stream, events, () => ends(clock, request.signal)) : stream;
  };
  return model;
};

async function* stalled<Event>(stream: AsyncIterable<Event>, events: number, stall: () => Promise<unknown>): AsyncGenerator<Event, void, undefined> {
  let at = 0;
  for await (const event of stream) {
    if (at === events) await stall();
    at += 1;
    yield event;
  }
}

/** Takes long from the second time on that it is asked: the first is in the run before. */
function fromSecondOn(clock: VirtualClock): () => Promise<unknown> {
  let asked = 0;
  return async () => ((asked += 1) > 1 ? ends(clock) : undefined);
}

export const MOMENTS: Moment[] = [
  { name: 'idle', reach: async (world) => {
    const thread = made(world, []);
    await thread.run('One.');
    return thread;
  } },
  { name: 'preparing', reach: async (world) => {
    const { deaf } = tools(world);
    const thread = made(world, [calls('deaf')], { tools: [deaf] });
    await thread.run('One.');
    const left = thread.run('Two.');
    await thread.until('tool.started');
    await world.clock.settle(); // its body has begun
    void thread.interrupt();
    await left.result.catch(() => undefined);
    await thread.run('Three.').started; // it waits until the body before it has had its grace
    return thread;
  } },
  { name: 'guarding', reach: async (world) => {
    const look = fromSecondOn(world.clock);
    const thread = made(world, [], { inputGuardrails: [{ name: 'look', runInParallel: false, execute: async () => (await look(), { tripwireTriggered: false, outputInfo: null }) }] });
    await going(thread);
    return thread;
  } },
  { name: 'sampling', reach: async (world) => {
    const thread = made(world, [says('Second.')], {}, stalling(world.clock, 2, 1));
    await going(thread);
    return thread;
  } },
  { name: 'sampling, an item is there', reach: async (world) => {
    const thread = made(world, [responds(says('Let me see.', { deltas: ['Let me see.'] }), says('Second.'))], {}, stalling(world.clock, 2, 3));
    await going(thread);
    return thread;
  } },
  { name: 'acting', reach: async (world) => {
    const { slow } = tools(world);
    const thread = made(world, [calls('slow')], { tools: [slow] });
    await going(thread);
    await thread.until('tool.started');
    return thread;
  } },
  { name: 'awaiting approval', reach: async (world) => {
    const { pay } = tools(world);
    const thread = made(world, [calls('pay')], { tools: [pay] });
    await going(thread);
    await thread.until('run.awaitingApproval');
    return thread;
  } },
  { name: 'nested', reach: async (world) => {
    const { slow } = tools(world);
    const helper = new Agent({ name: 'Helper', model: world.model(calls('slow'), says('Helped.'), says('Helped again.')), tools: [slow] });
    const thread = made(world, [calls('Helper', { input: 'Help.' })], { tools: [helper.asTool({ toolName: 'Helper', toolDescription: 'Helps.' })] });
    await going(thread);
    await thread.until((event) => event.type === 'tool.started' && event.call.name === 'slow');
    return thread;
  } },
  { name: 'backing off', reach: async (world) => {
    const retry = { maxRetries: 2, policy: retryPolicies.httpStatus([503]), backoff: { initialDelayMs: LONG, maxDelayMs: LONG, jitter: false } };
    const thread = made(world, [fails({ status: 503 })], { modelSettings: { retry } });
    await going(thread);
    await thread.until('turn.retrying');
    return thread;
  } },
  { name: 'asking stop hooks', reach: async (world) => {
    const look = fromSecondOn(world.clock);
    const thread = made(world, [], { options: { stopHooks: [{ name: 'look', execute: async () => (await look(), undefined) }] } });
    await going(thread);
    await thread.until((event) => event.type === 'turn.settled' && event.path.includes('/run.2/'));
    return thread;
  } },
  { name: 'guarding the output', reach: async (world) => {
    const look = fromSecondOn(world.clock);
    const thread = made(world, [], { outputGuardrails: [{ name: 'look', execute: async () => (await look(), { tripwireTriggered: false, outputInfo: null }) }] });
    await going(thread);
    await thread.until((event) => event.type === 'turn.settled' && event.path.includes('/run.2/'));
    return thread;
  } },
  { name: 'compacting in a run', reach: async (world) => {
    const { slow } = tools(world);
    const thread = made(world, [calls('slow'), says('The summary.')], { tools: [slow] }, stalling(world.clock, 3, 1));
    await going(thread);
    await thread.until('tool.started');
    await thread.compact();
    await world.clock.advance(LONG);
    return thread;
  } },
  { name: 'compacting', reach: async (world) => {
    const thread = made(world, [says('The summary.')], {}, stalling(world.clock, 2, 1));
    await thread.run('One.');
    await thread.compact();
    return thread;
  } },
  { name: 'judging', reach: async (world) => {
    const thread = made(world, [], { options: { isGoalReached: async () => (await ends(world.clock), true) } });
    await thread.run('One.');
    await thread.setGoal({ message: 'Go on.' });
    await thread.run('Two.');
    await thread.until((event) => event.type === 'thread.changed' && event.phase === 'judging');
    return thread;
  } },
  { name: 'winding down', reach: async (world) => {
    const { deaf } = tools(world);
    const thread = made(world, [calls('deaf')], { tools: [deaf] });
    await going(thread);
    await thread.until('tool.started');
    await world.clock.settle(); // its body has begun
    void thread.interrupt();
    await thread.until((event) => event.type === 'run.settled' && event.outcome.status === 'interrupted');
    return thread;
  } },
  { name: 'paused', reach: async (world) => {
    const thread = made(world, [answersWith(() => { throw new Error('The provider is down.'); })]);
    await thread.run('One.');
    await thread.run('Two.').result.catch(() => undefined);
    await thread.queue.add('Waiting.').receipt;
    return thread;
  } },
  { name: 'closed', reach: async (world) => {
    const thread = made(world, []);
    await thread.run('One.');
    await thread.close();
    return thread;
  } },
];
