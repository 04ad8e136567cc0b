/**
 * Scenarios: one script, played twice in a fresh world, streaming and not. Both plays must bring the same items, outputs,
 * usage, sessions and requests (A1), keep every invariant, and leave the event log that is checked in beside the tests.
 */
import { expect } from 'vitest';
import { MemorySession, Runner, RunState, resume, type Agent, type AgentInputItem, type IndividualRunOptions, type ResumeOptions, type RunEvent, type RunStreamEvent, type SteerMode, type StreamedRunResult, type UsageData } from 'loopchart';
import { normalise, scriptedModel, virtualClock, type NormalisedRequest, type ScriptedModel, type Step, type VirtualClock } from 'loopchart/testing';
import { type Counted, NOTHING_COUNTED, checkRequests, checkRun, checkUsage, checkView } from './invariants.ts';
import { type LoggedEvent, compareLog, logged } from './eventLog.ts';
import { ModelTally } from './modelTally.ts';
import { watchedClock, type WatchedClock } from './watchedClock.ts';
import { type Seen, type Settled, seenOf } from './seen.ts';

export type { Seen } from './seen.ts';

type AnyAgent = Agent<any, any>; // `any`: a scenario has agents of all kinds
type RunInput = string | AgentInputItem[] | RunState<any, any>;
type Mode = 'plain' | 'streamed';
export interface RunOptions extends Omit<IndividualRunOptions<any, any>, 'stream'> {
  /** Default: a runner without configuration. */
  runner?: Runner;
}

/** What a script has at hand. Time stands still until the script moves it; nothing outlives the play. */
export interface World {
  readonly mode: Mode;
  readonly clock: VirtualClock;
  /** A scripted model whose requests and usage are held against the runs of this world. */
  model(...steps: Step[]): ScriptedModel;
  /** Says that something beside a model has cost this much; it is part of what the run has to count. */
  spent(usage: UsageData): void;
  /** A session whose items are compared at the end. */
  session(items?: AgentInputItem[]): MemorySession;
  /** Starts a run and lets it go: for scripts that stop it, steer it or move the clock. */
  begin(agent: AnyAgent, input: RunInput, options?: RunOptions): Going;
  /** Goes on with a run that is recorded, as a process does that knows nothing but the journal. */
  goOn(runId: string, options: ResumeOptions<any>): Going;
  /** As `goOn`, to the outcome. */
  resume(runId: string, options: ResumeOptions<any>): Promise<Seen>;
  /** Runs to the outcome. Failures and interrupts are seen, not thrown. */
  run(agent: AnyAgent, input: RunInput, options?: RunOptions): Promise<Seen>;
}

/** A run that is going. */
export interface Going {
  readonly settled: Promise<Seen>;
  /** Lifecycle events so far. */
  readonly events: readonly RunEvent[];
  /** The events of the Agents SDK so far; none when the run does not stream. */
  readonly stream: readonly RunStreamEvent[];
  /** Only of a streamed run, whose state can be had while it is going. */
  readonly state: Promise<RunState<any, any>>;
  /** The first event of which this is true, now or later. */
  until(is: ((event: RunEvent) => boolean) | RunEvent['type']): Promise<RunEvent>;
  interrupt(): void;
  softStop(): void;
  /** Adds a message while the run is going; only of a streamed run. */
  steer(text: string, options?: { mode?: SteerMode }): Promise<void>;
}

/** What a script played in both modes brought; the two are equal. */
export interface Played<Value> {
  /** What the script returned, of the play without a stream. */
  value: Value;
  /** The last run of the script. */
  seen: Seen;
  runs: Seen[];
  /** Every request to every model of the world, in the order in which they were sent. */
  requests: NormalisedRequest[];
  sessions: AgentInputItem[][];
}

/**
 * Plays the script in both modes and compares all there is to see. Usage is
 * only held against models where runs of a script go one after the other.
 * Returns what was seen, to be compared with what the rule says; everything that holds of every run is checked here.
 *
 * @example
 * test('A2: text beside a local call is not final', async () => {
 *   const { seen, requests } = await play(async (world) => {
 *     const model = world.model(responds(says('Let me add.'), calls('add', { a: 1, b: 2 })), says('It is 3.'));
 *     return world.run(new Agent({ name: 'Calculator', model, tools: [add] }), 'go');
 *   });
 *   expect(seen.story).toEqual([…]);
 * });
 *
 * @param only for what exists in one mode alone, such as text that was cut while it streamed.
 */
export function play<Value>(script: (world: World) => Promise<Value>, options: PlayOptions = {}): Promise<Played<Value>> {
  return player(script, options);
}

export interface PlayOptions { only?: Mode }
export type Player = <Value>(script: (world: World) => Promise<Value>, options: PlayOptions) => Promise<Played<Value>>;

let player: Player = playInBothModes;

/** From now on scripts are played in another way: the proof that a run can be killed anywhere plays them all, and kills their runs. */
export function playBy(other: Player): void {
  player = other;
}

export async function playInBothModes<Value>(script: (world: World) => Promise<Value>, { only }: PlayOptions = {}): Promise<Played<Value>> {
  const plays: Ending<Value>[] = [];
  for (const mode of only ? [only] : (['plain', 'streamed'] as const)) plays.push(await playOnce(script, mode));
  const [first, second] = plays;
  if (second) {
    expect(plain(second.played), 'streamed, the run brings something else').toEqual(plain(first!.played));
    expect(second.logs, 'streamed, the events are others').toEqual(first!.logs);
  }
  compareLog(first!.logs);
  return first!.played;
}

interface Ending<Value> { played: Played<Value>; logs: LoggedEvent[][] }

async function playOnce<Value>(script: (world: World) => Promise<Value>, mode: Mode): Promise<Ending<Value>> {
  const stage = new Stage(mode);
  const value = await script(stage);
  return stage.end(value);
}

class Stage implements World {
  readonly mode: Mode;
  readonly clock = virtualClock(START);
  readonly #tally = new ModelTally();
  readonly #sessions: MemorySession[] = [];
  readonly #rests: Rest[] = [];
  /** What models had answered when a run first began: a process that dies before the run rests leaves its answers to the next one. */
  readonly #answered = new Map<string, number>();
  #begun = 0;
  #live = 0;

  constructor(mode: Mode) {
    this.mode = mode;
  }

  model(...steps: Step[]): ScriptedModel {
    return this.#tally.count(scriptedModel(...steps));
  }

  spent(usage: UsageData): void {
    this.#tally.add({ usage, output: [] });
  }

  session(initialItems: AgentInputItem[] = []): MemorySession {
    const session = new MemorySession({ sessionId: `session_${this.#sessions.length + 1}`, initialItems });
    this.#sessions.push(session);
    return session;
  }

  async run(agent: AnyAgent, input: RunInput, options?: RunOptions): Promise<Seen> {
    return this.begin(agent, input, options).settled;
  }

  begin(agent: AnyAgent, input: RunInput, { runner = new Runner(), ...options }: RunOptions = {}): Going {
    const starts: Starts = { plain: (all) => runner.run(agent, input, all), streamed: (all) => runner.run(agent, input, { ...all, stream: true }) };
    return this.#go(starts, options, input instanceof RunState ? input.runId : undefined);
  }

  async resume(runId: string, options: ResumeOptions<any>): Promise<Seen> {
    return this.goOn(runId, options).settled;
  }

  goOn(from: string, { journal, agents, runner, ...options }: ResumeOptions<any>): Going {
    const home = { journal, agents, runner };
    const starts: Starts = { plain: ({ runId: _, ...all }) => resume(from, { ...all, ...home }), streamed: ({ runId: _, ...all }) => resume(from, { ...all, ...home, stream: true }) };
    return this.#go(starts, { ...options, runId: from }, from);
  }

  #go(starts: Starts, options: Options, from: string | undefined): Going {
    this.#begun += 1;
    this.#live += 1;
    const events = new EventList();
    const stream: RunStreamEvent[] = [];
    const interrupt = new AbortController();
    const stop = new AbortController();
    const clock = watchedClock(options.clock ?? this.clock);
    const all = {
      ...options,
      clock,
      runId: options.runId ?? (this.#begun === 1 ? 'run_test' : `run_test_${this.#begun}`),
      signal: options.signal ? AbortSignal.any([options.signal, interrupt.signal]) : interrupt.signal,
      stopSignal: options.stopSignal ? AbortSignal.any([options.stopSignal, stop.signal]) : stop.signal,
      onEvent: (event: RunEvent) => {
        events.push(event);
        options.onEvent?.(event);
      },
    };
    const answersBefore = this.#restOf(from) ? this.#tally.answers : (this.#answered.get(all.runId) ?? this.#tally.answers);
    this.#answered.set(all.runId, answersBefore);
    const { outcome, state } = this.mode === 'plain' ? settlePlain(starts.plain(all)) : settleStreamed(starts.streamed(all), stream);
    const settled = outcome.then((settling) => (checkView(events.told), this.#settle({ ...settling, events: events.all, stream, from }, clock, answersBefore)));
    return { settled, events: events.all, stream, state, until: (is) => events.until(is), interrupt: () => interrupt.abort(), softStop: () => stop.abort(), steer: async (text, how) => (await state).addInput(text, how) };
  }

  async end<Value>(value: Value): Promise<Ending<Value>> {
    await this.clock.settle();
    checkRequests(this.#tally);
    for (const one of this.#rests) expect(one.size(), 'J4: the run went on after its end').toBe(one.atRest);
    const runs = this.#rests.map(({ seen }) => seen);
    const sessions = await Promise.all(this.#sessions.map((session) => session.getItems()));
    const requests = this.#tally.requests.map((request) => normalise(request));
    return { played: { value, seen: runs.at(-1)!, runs, requests, sessions }, logs: this.#rests.map(({ seen, replayed }) => logged(seen.events, START, replayed)) };
  }

  #restOf(runId: string | undefined): Rest | undefined {
    return this.#rests.findLast((one) => one.runId === runId);
  }

  /** What holds when a run has come to rest has to hold a moment later too: nothing of it goes on (J4). */
  async #settle(settled: Settled, clock: WatchedClock, answersBefore: number): Promise<Seen> {
    const { events, from, state } = settled;
    const source = state?.source;
    const size = () => `${events.length} events, ${source?.entries.length ?? 0} entries`;
    const atRest = size();
    const requests = this.#tally.requests.length;
    const seen = seenOf(settled);
    this.#live -= 1;
    await this.clock.settle();
    expect(size(), 'J4: the run went on after its end').toBe(atRest);
    if (this.#live === 0) expect(this.#tally.requests.length, 'J4: a request was sent after the end of the run').toBe(requests);
    expect(clock.armed, 'J4: a timer of the run is left').toBe(0);
    const told = this.#restOf(state?.runId)?.seen.events ?? [];
    const replayed = events.length === 0 ? [] : told; // a run that is not gone on with tells nothing
    checkRun(settled, replayed);
    const before = this.#restOf(from)?.counted;
    const counted = checkUsage(settled, before ?? NOTHING_COUNTED, this.#tally.answersFrom(answersBefore), replayed.length);
    this.#rests.push({ runId: state?.runId, seen, counted, atRest, size, replayed: replayed.length });
    return seen;
  }
}

/** A run that has come to rest. */
interface Rest {
  runId: string | undefined;
  seen: Seen;
  counted: Counted;
  /** How much there was of it. */
  atRest: string;
  size: () => string;
  /** Events that an earlier run with the same id had told already. */
  replayed: number;
}

type Options = Omit<RunOptions, 'runner'>;
/** How a run is set going in either mode. */
interface Starts {
  plain(options: Options & { runId: string }): Promise<{ state: RunState<any, any> }>;
  streamed(options: Options & { runId: string }): Promise<StreamedRunResult<any, any>>;
}

type Settling = Promise<Pick<Settled, 'state' | 'error' | 'cancelled'>>;

function settlePlain(running: Promise<{ state: RunState<any, any> }>): { outcome: Settling; state: Promise<RunState<any, any>> } {
  const outcome = running.then(({ state }) => ({ state }), withError);
  return { outcome, state: new Promise<never>(() => undefined) }; // nobody has the state of a plain run before its end
}

/** The stream is read to its end, which must come however the run ends (I2), and say the same as `completed`. */
function settleStreamed(running: ReturnType<Starts['streamed']>, stream: RunStreamEvent[]): { outcome: Settling; state: Promise<RunState<any, any>> } {
  const outcome = running.then(async (result) => {
    let read: { error?: unknown } = {};
    try {
      for await (const event of result) stream.push(event);
    } catch (error) {
      read = { error };
    }
    const completed = await result.completed.then((): { error?: unknown } => ({}), (error: unknown) => ({ error }));
    expect(read, 'the stream and `completed` end alike').toEqual(completed);
    return { state: result.state, ...completed, ...(result.cancelled ? { cancelled: true } : {}) };
  }, withError);
  const state = running.then((result) => result.state);
  state.catch(() => undefined); // the outcome tells of it
  return { outcome, state };
}

const withError = (error: unknown) => ({ error, state: (error as { state?: RunState<any, any> } | undefined)?.state });

/** Events as they come, for those who wait for one. */
class EventList {
  readonly all: RunEvent[] = [];
  /** With those that are not replayed. */
  readonly told: RunEvent[] = [];
  readonly #waiting: { is: (event: RunEvent) => boolean; tell: (event: RunEvent) => void }[] = [];

  push(event: RunEvent): void {
    this.told.push(event);
    if (typeof event.number === 'number') this.all.push(event); // deltas and progress are numbered under others, and not replayed
    for (const { is, tell } of [...this.#waiting]) if (is(event)) tell(event);
  }

  until(wanted: ((event: RunEvent) => boolean) | RunEvent['type']): Promise<RunEvent> {
    const is = typeof wanted === 'string' ? (event: RunEvent) => event.type === wanted : wanted;
    const there = this.all.find(is);
    return there ? Promise.resolve(there) : new Promise((tell) => this.#waiting.push({ is, tell }));
  }
}

/** As plain data, for comparison: what is no data (states, errors) is not part of a `Seen`. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

/** A fixed point in time: 2026-01-01 in ms since the epoch. */
const START = Date.UTC(2026, 0, 1);

// For worlds in which the same scripts are played otherwise.
export { EventList, START, plain, settlePlain, settleStreamed };
export type { Mode, Settling };
