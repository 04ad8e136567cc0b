/**
 * Scenarios of threads: one script in a fresh world under a clock that only the script moves. Everything that holds of every thread is
 * checked here, and the events are held against the log that is checked in beside the tests.
 */
import { expect } from 'vitest';
import type { Agent, AgentInputItem } from 'loopchart';
import { normalise, scriptedModel, virtualClock, type NormalisedRequest, type ScriptedModel, type Step, type VirtualClock } from 'loopchart/testing';
import { type Thread, type ThreadEvent, type ThreadOptions, createThread, openThread } from 'loopchart/thread';
import { compareLog, logged } from './eventLog.ts';
import { checkEvents, checkRequests } from './invariants.ts';
import { ModelTally } from './modelTally.ts';
import { type Mortal, mortal } from './mortal.ts';
import { EventList, START, plain } from './scenario.ts';
import { threadProblems } from './threadInvariants.ts';
import { watchedClock, type WatchedClock } from './watchedClock.ts';

type AnyAgent = Agent<any, any>; // `any`: a scenario has agents of all kinds
type Options = Omit<ThreadOptions<any>, 'journal' | 'clock'>;
type Wanted = ((event: ThreadEvent) => boolean) | ThreadEvent['type'];

/** What a script has at hand. Time stands still until the script moves it. */
export interface ThreadWorld {
  readonly clock: VirtualClock;
  /** A scripted model whose requests are checked. */
  model(...steps: Step[]): ScriptedModel;
  /** Makes a thread: `thread_test`, then `thread_test_2`, … unless it is told its id. */
  thread(agent: AnyAgent, options?: Options): PlayedThread;
  /** The process is gone: nothing that it does from now on is known to anybody, and another one opens the thread. */
  reopen(thread: PlayedThread, agents?: AnyAgent | AnyAgent[], options?: Options, /** So many ms later. */ later?: number): Promise<PlayedThread>;
}

export interface PlayedThread extends Thread {
  /** Lifecycle events so far, from the first on. */
  readonly told: readonly ThreadEvent[];
  /** The first event of which this is true, now or later. */
  until(wanted: Wanted): Promise<ThreadEvent>;
}

/** A thread as a value. */
export interface SeenThread {
  id: string;
  state: Thread['state'];
  history: AgentInputItem[];
  /** One line a run: its path, where its input came from, how it ended. */
  runs: string[];
  queue: string[];
  mailbox: string[];
  usage: { requests: number; totalTokens: number };
}

export interface PlayedThreads<Value> {
  value: Value;
  /** The first thread of the script. */
  seen: SeenThread;
  threads: SeenThread[];
  /** Every request to every model of the world, in the order in which they were sent. */
  requests: NormalisedRequest[];
}

export interface ThreadPlayOptions {
  /** Why this script is not played with processes that die. */
  immortal?: string;
}
export type ThreadScript<Value> = (world: ThreadWorld) => Promise<Value>;
export type ThreadPlayer = <Value>(script: ThreadScript<Value>, options: ThreadPlayOptions) => Promise<PlayedThreads<Value>>;

/**
 * Plays the script, checks what holds of every thread, and compares the event log. Scripts wait for events (`until`) or move the clock; they
 * never sleep. A thread that the script leaves is looked at as it is: it may be at work.
 *
 * @example
 * test('L2: a steer joins at the next safe point', async () => {
 *   const { requests } = await playThread(async (world) => {
 *     const thread = world.thread(new Agent({ name: 'A', model: world.model(calls('look', {}), says('Done.')), tools: [look] }));
 *     const run = thread.run('Go.');
 *     await thread.until('tool.started');
 *     await thread.steer('Hurry.');
 *     await run;
 *   });
 *   expect(requests[1]!.input.at(-1)).toMatchObject({ content: 'Hurry.' });
 * });
 */
export function playThread<Value>(script: ThreadScript<Value>, options: ThreadPlayOptions = {}): Promise<PlayedThreads<Value>> {
  return player(script, options);
}

/** From now on scripts are played in another way: with processes that die. */
export function playThreadsBy(other: ThreadPlayer): void {
  player = other;
}

let player: ThreadPlayer = async (script) => {
  const stage = new ThreadStage();
  const played = await stage.end(await script(stage));
  compareLog(stage.logs);
  return played;
};

/** For what is played often and has no log. */
export class ThreadStage implements ThreadWorld {
  readonly clock = virtualClock(START);
  readonly #tally = new ModelTally();
  readonly #homes = new Map<Thread, Home>();
  #made = 0;

  model(...steps: Step[]): ScriptedModel {
    return this.#tally.count(scriptedModel(...steps));
  }

  thread(agent: AnyAgent, options: Options = {}): PlayedThread {
    this.#made += 1;
    const threadId = options.threadId ?? (this.#made === 1 ? 'thread_test' : `thread_test_${this.#made}`);
    const home: Home = { life: mortal(), agents: [agent, ...(options.agents ?? [])], events: new EventList(), clock: watchedClock(this.clock), options };
    return this.#keep(createThread(agent, { ...options, threadId, journal: home.life.journal, clock: home.clock, onEvent: this.#hearing(home) }), home);
  }

  async reopen(thread: PlayedThread, agents?: AnyAgent | AnyAgent[], options?: Options, later = 0): Promise<PlayedThread> {
    const before = this.#homes.get(thread)!;
    before.life.die();
    if (later > 0) await this.clock.advance(later);
    this.#homes.delete(thread);
    const life = mortal(undefined, before.life.left(thread.id));
    const given = agents === undefined ? before.agents : [agents].flat();
    const home: Home = { ...before, life, agents: given, events: new EventList(), clock: watchedClock(this.clock), ...(options && { options }) };
    const again = await openThread(thread.id, { ...home.options, journal: life.journal, clock: home.clock, agents: given, onEvent: this.#hearing(home) });
    expect(home.events.all.slice(0, before.events.all.length), 'I1: events that are told again are the same').toEqual(before.events.all);
    return this.#keep(again, home);
  }

  async end<Value>(value: Value): Promise<PlayedThreads<Value>> {
    await this.clock.settle();
    checkRequests(this.#tally);
    const threads: SeenThread[] = [];
    for (const [thread, home] of this.#homes) threads.push(await lookedAt(thread, home));
    return { value, seen: threads[0]!, threads, requests: this.#tally.requests.map((request) => normalise(request)) };
  }

  get logs() {
    return [...this.#homes.values()].map(({ events }) => withoutChance(logged(events.all, START, 0)));
  }

  #hearing({ events, options }: Home): (event: ThreadEvent) => void {
    return (event) => {
      events.push(event);
      options.onEvent?.(event);
    };
  }

  #keep(thread: Thread, home: Home): PlayedThread {
    this.#homes.set(thread, home);
    return Object.assign(thread, { told: home.events.all, until: (wanted: Wanted) => home.events.until(wanted) });
  }
}

interface Home {
  life: Mortal;
  agents: AnyAgent[];
  events: EventList;
  clock: WatchedClock;
  options: Options;
}

async function lookedAt(thread: Thread, { events, clock, life, agents, options }: Home): Promise<SeenThread> {
  const { look } = thread;
  checkEvents(events.all);
  expect(threadProblems(events.all, look)).toEqual([]);
  const isAtRest = look.state !== 'active';
  if (isAtRest) expect(clock.armed, 'J4: a timer is left').toBe(0);
  if (isAtRest) await checkAgain(thread, { life, agents, options, told: events.all });
  return seenThread(thread);
}

export function seenThread({ id, look }: Thread): SeenThread {
  const { state, history, runs, queue, mailbox, usage } = look;
  return {
    id,
    state,
    history,
    runs: runs.map(({ runId, source, status }) => `${runId.slice(id.length + 1)} from ${source.kind}: ${status}`),
    queue: queue.map(({ input }) => textOf(input)),
    mailbox: mailbox.map(({ from, content }) => `${from}: ${content}`),
    usage: { requests: usage.requests, totalTokens: usage.totalTokens },
  };
}

const textOf = (input: readonly AgentInputItem[]) => input.map((item) => ('content' in item ? String(item.content) : item.type)).join(' ');

/** O1: what another process makes of the journal is what is there. */
async function checkAgain(thread: Thread, home: Pick<Home, 'life' | 'agents' | 'options'> & { told: readonly ThreadEvent[] }): Promise<void> {
  const told: ThreadEvent[] = [];
  const clock = virtualClock(START);
  const again = await openThread(thread.id, { ...home.options, journal: home.life.left(thread.id), clock, agents: home.agents, onEvent: (event) => void told.push(event) });
  expect(told, 'O1: the journal tells the same events').toEqual(home.told);
  expect(plain(again.look), 'O1: the journal leads to the same thread').toEqual(plain(thread.look));
  await again.release();
}

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

/** Ids that were made at random, by the order in which they appear. */
export function withoutChance<Value>(value: Value): Value {
  const known = new Map<string, string>();
  const text = JSON.stringify(value).replaceAll(UUID, (id) => known.get(id) ?? known.set(id, `id${known.size + 1}`).get(id)!);
  return JSON.parse(text) as Value;
}
