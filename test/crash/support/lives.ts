/** A run through as many processes as it needs: where one dies, the next goes on from the journal, and a person answers what only a person can. */
// Loaded on their first use otherwise, which takes time of which a virtual clock knows nothing.
import '../../../actors/launch.ts';
import '../../../actors/revive.ts';
import { Runner, RunState, type Agent, type AgentInputItem, type JournalEntry, type MemoryJournal, type RunEvent, type RunStreamEvent, type RunToolApprovalItem, type SteerMode, resume, stateFromJournal } from 'loopchart';
import type { VirtualClock } from 'loopchart/testing';
import { type Mode, type RunOptions, type Settling, settlePlain, settleStreamed } from '../../scenarios/support/scenario.ts';
import type { CallResult } from '../../../machines/protocol/call.ts';
import type { RunSource } from '../../../actors/runState.ts';
import type { SavedState } from '../../../actors/savedState.ts';
import type { Fate } from './fate.ts';
import { type Deed, type Ledger, hasHappened, pathOf } from './ledger.ts';
import { Life } from './life.ts';
import { wasAnswering } from './unfinished.ts';

type AnyState = RunState<any, any>; // `any`: a scenario has agents of all kinds
type AnyAgent = Agent<any, any>;
export interface LivesOptions {
  mode: Mode;
  store: MemoryJournal;
  clock: VirtualClock;
  ledger: Ledger;
  fate: Fate;
  /** What the lives of one play have in common. */
  common: { deaths: number; asksItself: boolean };
  agent: AnyAgent;
  input: string | AgentInputItem[] | AnyState;
  runner: Runner;
  options: RunOptions & { runId: string; onEvent: (event: RunEvent) => void };
  stream: RunStreamEvent[];
}
type Attempt = ReturnType<typeof settlePlain>;
type Ending = Awaited<Settling>;

/** How many turns of all promises a person waits for a body before giving it up. */
const PATIENCE = 100;

export class Lives {
  /** Why it is to be expected that the run ends otherwise than without the death. */
  doubt: string | undefined;
  readonly settled: Promise<Ending>;
  /** That of the first process. */
  readonly state: Promise<AnyState>;
  readonly #with: LivesOptions;
  /** What a person had said and nobody had heard when the run began. */
  readonly #said: Pick<SavedState, 'decisions' | 'staged'>;
  /** The run that it went on from, as it was. */
  readonly #source: RunSource | undefined;
  readonly #from: string | undefined;
  #life: Life;
  /** The state of the process that lives. */
  #now: Promise<AnyState>;
  /** What a person has said while the run was going. */
  readonly #steers: { text: string; mode?: SteerMode }[] = [];
  #told = 0;
  readonly #asked = new Set<string>();

  constructor(options: LivesOptions) {
    this.#with = options;
    const { input } = options;
    this.#said = input instanceof RunState && !input.source.isLive ? structuredClone({ decisions: input.toJSON().decisions, staged: input.toJSON().staged }) : {};
    this.#from = input instanceof RunState ? input.runId : undefined;
    this.#source = input instanceof RunState ? input.source : undefined;
    this.#life = this.#born();
    const first = this.#attempt(input);
    this.state = first.state;
    this.#now = first.state;
    this.settled = this.#toTheEnd(first);
  }

  async #toTheEnd(first: Attempt): Promise<Ending> {
    for (let attempt = first; ; ) {
      const life = this.#life;
      const ending = await Promise.race([attempt.outcome, life.gone.then((): 'died' => 'died')]);
      if (ending === 'died') {
        this.#with.common.deaths += 1;
        attempt = await this.#afterDeath(life);
        this.#now = attempt.state;
        attempt.state.then(() => this.#steerAgain(), () => undefined); // the outcome tells of it
      } else if (!(await this.#answers(ending.state))) return this.#end(ending);
      else attempt = this.#attempt(ending.state!);
    }
  }

  async steer(text: string, { mode }: { mode?: SteerMode } = {}): Promise<void> {
    this.#steers.push({ text, mode });
    (await this.#now).addInput(text, { mode });
  }

  /** What is not written, nobody has heard: it is said again, when the run is about where it was. */
  async #steerAgain(): Promise<void> {
    const { store, clock } = this.#with;
    const life = this.#life;
    const heard = JSON.stringify(store.read(life.runId!).filter((entry) => entry.type === 'command'));
    const unheard = this.#steers.filter(({ text }) => !heard.includes(text));
    if (unheard.length === 0) return;
    this.doubt = 'what a process had not heard when it died is said to the next one, and later';
    const state = await this.#now;
    await clock.settle();
    if (!life.isOver) for (const { text, mode } of unheard) state.addInput(text, { mode });
  }

  #end(ending: Ending): Ending {
    if (this.#asked.size > 0) this.doubt ??= 'the run ended before anybody had answered for a body';
    return ending;
  }

  #born(): Life {
    const { store, clock, fate, ledger, input } = this.#with;
    const opened = (runId: string) => { if (input instanceof RunState) ledger.goesOn(runId, this.#from!); };
    const life = new Life({ store, clock, fate, opened });
    ledger.watch(life);
    return life;
  }

  /** Goes on from what the journal holds, and says again what was said and is not written there. */
  async #afterDeath(last: Life): Promise<Attempt> {
    const { store, agent, input, options } = this.#with;
    this.#life = this.#born();
    const { journal } = this.#life;
    const entries = last.runId === undefined ? [] : store.read(last.runId);
    if (entries.length === 0) return this.#fromTheBeginning();
    if (wasAnswering(entries)) this.doubt = 'of an answer what was complete when its process died is gone on from: the rest is asked for anew, or not at all';
    const agents = [agent, ...(input instanceof RunState ? (input.source.origin.agents ?? []) : [])];
    const context = input instanceof RunState ? input.runContext.context : options.context;
    const lost = this.#unheard(entries);
    if (lost.decisions.length + lost.staged.length === 0) return this.#resume(last.runId!, { agents, context });
    const state = await stateFromJournal<any>(last.runId!, { journal, agents, context });
    if (!state.source.outcome) this.#sayAgain(state, lost);
    return this.#attempt(state);
  }

  #fromTheBeginning(): Attempt {
    const { input } = this.#with;
    if (input instanceof RunState) {
      input.follow(this.#source!);
      input.takeDecisions();
      input.restore(structuredClone({ decisions: this.#said.decisions ?? [], staged: this.#said.staged ?? [] }));
    }
    return this.#attempt(input);
  }

  #unheard(entries: readonly JournalEntry[]): Required<Pick<SavedState, 'decisions' | 'staged'>> {
    const { decisions = [], staged = [] } = this.#said;
    const heard = (id: string) => entries.some((entry) => entry.type === 'decide' && entry.id === id);
    const text = JSON.stringify(entries.filter(({ type }) => type === 'command' || type === 'run.start'));
    return { decisions: decisions.filter(({ id }) => !heard(id)), staged: staged.filter(({ id }) => !text.includes(id)) };
  }

  #sayAgain(state: AnyState, { decisions, staged }: Pick<SavedState, 'decisions' | 'staged'>): void {
    for (const { id, decision, interrupts } of decisions ?? []) {
      const item = state.getInterruptions().find((one) => one.id === id);
      if (!item || decision.decision === 'useResult') continue;
      if (decision.decision === 'answer') state.answer(item, decision.answers);
      else if (decision.decision === 'approve') state.approve(item, { alwaysApprove: decision.always, arguments: decision.arguments, reason: decision.reason });
      else state.reject(item, { alwaysReject: decision.always, message: decision.message, interrupt: interrupts });
    }
    state.restore({ decisions: [], staged: staged ?? [] });
  }

  #resume(runId: string, from: { agents: AnyAgent[]; context: unknown }): Attempt {
    const { mode, runner, stream } = this.#with;
    const { runId: _runId, threadId: _threadId, ...options } = this.#options();
    const entries = this.#with.store.read(runId);
    const isToStop = options.stopSignal?.aborted === true || entries.some((entry) => entry.type === 'command' && entry.command.type === 'softStop');
    if (isToStop && wasAtWork(entries)) this.doubt = 'a stop that finds a body whose fate nobody knows keeps it for the next run';
    const all = { ...options, ...from, runner, journal: this.#life.journal };
    return mode === 'plain' ? settlePlain(resume<any>(runId, all)) : settleStreamed(resume<any>(runId, { ...all, stream: true }), stream);
  }

  #attempt(input: string | AgentInputItem[] | AnyState): Attempt {
    const { mode, runner, agent, stream } = this.#with;
    const options = this.#options();
    return mode === 'plain' ? settlePlain(runner.run(agent, input, options)) : settleStreamed(runner.run(agent, input, { ...options, stream: true }), stream);
  }

  /** Events that an earlier process has told are not told again; a dead one tells nothing. */
  #options() {
    const { options } = this.#with;
    const life = this.#life;
    const { clock, journal } = life;
    const onEvent = (event: RunEvent) => {
      if (life.isOver || (typeof event.number === 'number' && event.number <= this.#told)) return;
      if (typeof event.number === 'number') this.#told = event.number;
      if ('id' in event && typeof event.id === 'string' && event.id.includes('/uncertain#')) this.#noteDoubt(event);
      else options.onEvent(event);
    };
    return { ...options, clock, journal: options.journal ?? journal, onEvent };
  }

  /** The script knows nothing of questions that only a death brings up. One that nobody answered ended with the run. */
  #noteDoubt(event: RunEvent): void {
    if (event.type === 'approval.requested') this.#asked.add(event.id);
    else if (event.type === 'approval.resolved' && event.decision !== 'withdrawn') this.#asked.delete(event.id);
  }

  /** What nobody but the world knows, a person looks up (O3). @returns whether there was anything to answer. */
  async #answers(state: AnyState | undefined): Promise<boolean> {
    const uncertain = state?.source.outcome ? [] : (state?.getInterruptions().filter((item) => item.uncertain) ?? []);
    if (uncertain.length === 0) return false;
    const { clock, options, common } = this.#with;
    if (common.deaths === 0) {
      common.asksItself = true;
      return false;
    }
    let known = uncertain.filter((item) => this.#isKnown(item));
    for (let turns = 0; known.length === 0 && turns < PATIENCE && !options.signal?.aborted; turns += 1) {
      await clock.settle();
      known = uncertain.filter((item) => this.#isKnown(item));
    }
    for (const item of known) this.#answer(state!, item);
    if (known.length === 0 && !options.signal?.aborted) for (const item of uncertain) this.#giveUp(state!, item);
    return true;
  }

  #deedOf(item: RunToolApprovalItem): Deed | undefined {
    const { ledger } = this.#with;
    return ledger.find(`${pathOf(item.id)}/execute#${item.id.slice(item.id.lastIndexOf('#') + 1)}`) ?? ledger.ofCall(item);
  }

  #isKnown(item: RunToolApprovalItem): boolean {
    return this.#deedOf(item)?.isOver !== false;
  }

  #giveUp(state: AnyState, item: RunToolApprovalItem): void {
    this.doubt = 'nobody will ever know what became of a body';
    state.reject(item);
  }

  #answer(state: AnyState, item: RunToolApprovalItem): void {
    const deed = this.#deedOf(item);
    if (!deed || !hasHappened(deed.outcome)) return state.approve(item);
    if (deed.call?.item.type !== 'function_call') this.doubt = 'what hands have done is told as text';
    const result = (deed.outcome as { value: CallResult }).value; // a body that has happened
    state.useResult(item, 'output' in result ? result.output : saidBy(result));
  }
}

/** A body was at work that is not simply run again. */
function wasAtWork(entries: readonly JournalEntry[]): boolean {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'effect.done' || entry.type === 'effect.lost' ? [entry.id] : [])));
  return entries.some((entry) => entry.type === 'effect.started' && !ended.has(entry.id));
}

const saidBy = ({ item }: CallResult): unknown => ('output' in item ? item.output : null);
