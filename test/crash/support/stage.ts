/** A world in which processes die: the scripts of the scenarios are played in it, unchanged. */
import { MemoryJournal, MemorySession, Runner, RunState, resume, type ResumeOptions, type StreamedRunResult, type Agent, type AgentInputItem, type RunEvent, type RunStreamEvent, type UsageData } from 'loopchart';
import { normalise, scriptedModel, virtualClock, type ScriptedModel, type Step } from 'loopchart/testing';
import { ModelTally } from '../../scenarios/support/modelTally.ts';
import { EventList, type Going, type Mode, type Played, type RunOptions, START, settlePlain, settleStreamed, type World } from '../../scenarios/support/scenario.ts';
import { type Seen, seenOf } from '../../scenarios/support/seen.ts';
import { OBSTACLES } from './exceptions.ts';
import type { Fate } from './fate.ts';
import { Ledger } from './ledger.ts';
import { Lives } from './lives.ts';
import { Provider } from './provider.ts';

type AnyAgent = Agent<any, any>; // `any`: a scenario has agents of all kinds
type RunInput = string | AgentInputItem[] | RunState<any, any>;

/** How a run is set going in either mode. */
interface Starts {
  plain(options: Omit<RunOptions, 'runner'>): Promise<{ state: RunState<any, any> }>;
  streamed(options: Omit<RunOptions, 'runner'>): Promise<StreamedRunResult<any, any>>;
}

export class CrashStage implements World {
  readonly mode: Mode;
  readonly clock = virtualClock(START);
  readonly store = new MemoryJournal();
  readonly ledger = new Ledger(this.store);
  /** Why this script cannot be played here, when that has been found out. */
  obstacle: string | undefined;
  readonly #fate: Fate;
  readonly #tally = new ModelTally();
  readonly #provider = new Provider(this.#tally);
  readonly #sessions: MemorySession[] = [];
  readonly #runs: Seen[] = [];
  readonly #lives: Lives[] = [];
  readonly #common = { deaths: 0, asksItself: false };
  #begun = 0;

  constructor(mode: Mode, fate: Fate) {
    this.mode = mode;
    this.#fate = fate;
  }

  model(...steps: Step[]): ScriptedModel {
    return this.#provider.model(scriptedModel(...steps));
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
    this.#begun += 1;
    const runId = options.runId ?? (this.#begun === 1 ? 'run_test' : `run_test_${this.#begun}`);
    if (options.journal) this.obstacle = OBSTACLES.ownJournal;
    if (this.obstacle === OBSTACLES.ownJournal) {
      return this.#asItIs({ ...options, runId }, { plain: (all) => runner.run(agent, input, all), streamed: (all) => runner.run(agent, input, { ...all, stream: true }) });
    }
    const events = new EventList();
    const stream: RunStreamEvent[] = [];
    const interrupt = new AbortController();
    const stop = new AbortController();
    const lives = new Lives({
      ...this, mode: this.mode, agent, input, runner, fate: this.#fate, common: this.#common, stream,
      options: {
        ...options,
        runId,
        signal: options.signal ? AbortSignal.any([options.signal, interrupt.signal]) : interrupt.signal,
        stopSignal: options.stopSignal ? AbortSignal.any([options.stopSignal, stop.signal]) : stop.signal,
        onEvent: (event: RunEvent) => {
          events.push(event);
          options.onEvent?.(event);
        },
      },
    });
    this.#lives.push(lives);
    const settled = lives.settled.then((settling) => {
      const seen = seenOf({ ...settling, events: events.all, stream });
      this.#runs.push(seen);
      return seen;
    });
    const touched = () => { this.obstacle = OBSTACLES.speaks; };
    return { settled, events: events.all, stream, get state() { touched(); return lives.state; }, until: (is) => events.until(is), interrupt: () => interrupt.abort(), softStop: () => stop.abort(), steer: (text, how) => lives.steer(text, how) };
  }

  goOn(runId: string, { journal, agents, runner, ...options }: ResumeOptions<any>): Going {
    this.obstacle = OBSTACLES.ownJournal;
    const from = { journal, agents, runner };
    return this.#asItIs(options, {
      plain: ({ runId: _runId, ...all }) => resume(runId, { ...all, ...from }),
      streamed: ({ runId: _runId, ...all }) => resume(runId, { ...all, ...from, stream: true }),
    });
  }

  /** A script that has deaths of its own to tell of is played without any of ours. */
  #asItIs(options: Omit<RunOptions, 'runner'>, starts: Starts): Going {
    const events = new EventList();
    const stream: RunStreamEvent[] = [];
    const interrupt = new AbortController();
    const stop = new AbortController();
    const onEvent = (event: RunEvent) => {
      events.push(event);
      options.onEvent?.(event);
    };
    const all = { clock: this.clock, signal: interrupt.signal, stopSignal: stop.signal, ...options, onEvent };
    const { outcome, state } = this.mode === 'plain' ? settlePlain(starts.plain(all)) : settleStreamed(starts.streamed(all), stream);
    const settled = outcome.then((settling) => {
      const seen = seenOf({ ...settling, events: events.all, stream });
      this.#runs.push(seen);
      return seen;
    });
    return { settled, events: events.all, stream, state, until: (is) => events.until(is), interrupt: () => interrupt.abort(), softStop: () => stop.abort(), steer: async (text, how) => (await state).addInput(text, how) };
  }

  async resume(runId: string, options: ResumeOptions<any>): Promise<Seen> {
    return this.goOn(runId, options).settled;
  }

  async end<Value>(value: Value): Promise<Played<Value>> {
    if (this.#common.asksItself) this.obstacle = OBSTACLES.asksItself;
    await this.clock.settle();
    const sessions = await Promise.all(this.#sessions.map((session) => session.getItems()));
    return { value, seen: this.#runs.at(-1)!, runs: this.#runs, requests: this.#tally.requests.map((request) => normalise(request)), sessions };
  }

  /** Why it is to be expected that the play ends otherwise than the undisturbed one. */
  get doubt(): string | undefined {
    return this.#lives.find(({ doubt }) => doubt !== undefined)?.doubt;
  }

  /** What was done that must not be done, wherever a process dies. */
  get problems(): string[] {
    return this.ledger.problems();
  }

  /** Requests that were sent again and were not the same. */
  get changedRequests(): string[] {
    return this.#provider.complaints;
  }
}
