/** One world from its first word to its last: processes are born and die, people decide, and the run goes on. */
import { JournalConflict, MemoryJournal, MemorySession, RunState, Runner, resume, stateFromJournal, type Agent, type RunEvent, type RunToolApprovalItem } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { type Blow, type Fortune } from '../../crash/support/fate.ts';
import { Ledger, pathOf } from '../../crash/support/ledger.ts';
import { Life, isJournalTrouble } from '../../crash/support/life.ts';
import type { RunOutcome } from '../../../machines/protocol/outcome.ts';
import { settlePlain, settleStreamed, type Settling } from '../../scenarios/support/scenario.ts';
import { agentsOf } from './cast.ts';
import type { Plan } from './plan.ts';
import { Random } from './random.ts';
import { repeated } from './repeated.ts';
import { Town, resultOf } from './town.ts';
import { lookOf, runProblems } from './verdict.ts';

type AnyState = RunState<any, any>; // `any`: agents of all kinds
export interface Ending {
  runId: string;
  state: AnyState | undefined;
  error: unknown;
  events: readonly RunEvent[];
  /** How the run was when it ended; its state goes on with the next one. */
  look: object;
  outcome: RunOutcome | null;
}
type Settled = Awaited<Settling>;
interface Attempt { life: Life; events: RunEvent[]; outcome: Settling; state: Promise<AnyState>; settled?: Settled }

/** More than any run of a plan has ever needed. */
const MOST_ROUNDS = 150;
const MOST_TIMERS = 5_000;

export class Voyage {
  readonly clock = virtualClock(Date.UTC(2026, 0, 1));
  readonly store = new MemoryJournal();
  readonly ledger = new Ledger(this.store);
  readonly town: Town;
  readonly session: MemorySession | undefined;
  readonly agents: Agent<any, any>[];
  readonly endings: Ending[] = [];
  readonly complaints: string[] = [];
  /** What befell it, for those who look into a seed. */
  readonly log: string[] = [];
  readonly #plan: Plan;
  readonly #chance: Random;
  readonly #isDisturbed: boolean;
  readonly #bystanders: Attempt[] = [];
  #blows = 0;
  #controls = { interrupt: new AbortController(), stop: new AbortController() };

  constructor(plan: Plan, isDisturbed: boolean) {
    this.#plan = plan;
    this.#isDisturbed = isDisturbed;
    this.#chance = new Random(plan.seed, 'chance');
    this.town = new Town(plan, this.clock);
    this.session = plan.hasSession ? new MemorySession({ sessionId: 's' }) : undefined;
    this.agents = agentsOf(plan, this.town);
  }

  /** One run alone: begun, or gone on with where the journal has it already. */
  async sailOnce(): Promise<Ending | undefined> {
    return this.#run('run_1', 'go');
  }

  /** Up to three runs, each going on from the one before. */
  async sail(): Promise<void> {
    let ending = await this.#run('run_1', 'go');
    for (let nth = 2; nth <= 3 && ending?.state && this.#goesOn(ending, nth); nth += 1) {
      if (ending.outcome?.status === 'completed') ending.state.addInput('And then?');
      ending = await this.#run(`run_${nth}`, ending.state);
    }
    await this.#settleBystanders();
  }

  /** Where guardrails looked, only from what was completed: input that they have not passed they would stop again. */
  #goesOn({ outcome }: Ending, nth: number): boolean {
    if (!outcome || !new Random(this.#plan.seed, 'more', nth).chance(0.5)) return false;
    return outcome.status === 'completed' || this.#plan.agents[0]!.inputGuardrails.length === 0;
  }

  async #run(runId: string, input: string | AnyState): Promise<Ending | undefined> {
    this.#controls = { interrupt: new AbortController(), stop: new AbortController() };
    const from = input instanceof RunState ? { source: input.source, id: input.runId, pending: input.pendingInput } : undefined;
    if (from) this.ledger.goesOn(runId, from.id);
    let attempt = this.store.read(runId).length > 0 ? this.#resume(runId) : this.#start(runId, input);
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const settled = await this.#watch(attempt, runId);
      if (settled === 'stuck') return void this.complaints.push(`O1: ${runId} waits for what never comes`);
      if (settled !== 'gone' && !isJournalTrouble(settled.error)) {
        const waits = settled.state && !settled.state.source.outcome && !settled.state.source.crash && settled.error === undefined;
        if (!waits) return this.#end(runId, settled, attempt.events);
        attempt = await this.#decided(runId, settled.state!);
        continue;
      }
      if (settled !== 'gone' && settled.error instanceof JournalConflict) await this.clock.next(); // somebody else is at work on it
      if (this.store.read(runId).length > 0) attempt = this.#resume(runId);
      else {
        if (input instanceof RunState && from) {
          input.follow(from.source);
          if (input.pendingInput.length < from.pending.length) input.addInput(from.pending);
        }
        attempt = this.#start(runId, input);
      }
    }
    this.complaints.push(`O1: ${runId} does not come to an end`);
    return undefined;
  }

  #end(runId: string, { state, error }: Settled, events: readonly RunEvent[]): Ending {
    const ending: Ending = { runId, state, error, events, look: lookOf(state, error), outcome: state?.source.outcome ?? null };
    this.log.push(`${runId} ends: ${ending.outcome?.status ?? String(error)}`);
    this.complaints.push(...runProblems(ending));
    this.endings.push(ending);
    return ending;
  }

  #born(): Life {
    const danger = this.#isDisturbed ? this.#plan.danger / (1 + this.#blows / 8) : 0; // so that every run comes to its end some day
    const fate: Fortune = {
      next: (kinds) => {
        const blow = this.#chance.chance(danger) ? this.#chance.pick<Blow>(['before', 'after', 'refused', 'torn', 'frozen']) : undefined;
        this.log.push(`writes ${kinds}${blow ? ` — ${blow}` : ''}`);
        if (blow) this.#blows += 1;
        return blow;
      },
    };
    const life = new Life({ store: this.store, clock: this.clock, fate, ...(this.#plan.journalIsSlow && { delay: () => Promise.resolve() }) });
    this.ledger.watch(life);
    return life;
  }

  #options(life: Life, runId: string, events: RunEvent[]) {
    const { interrupt, stop } = this.#controls;
    const { clock, journal } = life;
    const onEvent = (event: RunEvent) => { if (typeof event.number === 'number') events.push(event); };
    return { clock, journal, runId, onEvent, session: this.session, maxTurns: 14, signal: interrupt.signal, stopSignal: stop.signal };
  }

  #start(runId: string, input: string | AnyState): Attempt {
    const life = this.#born();
    const events: RunEvent[] = [];
    const options = this.#options(life, runId, events);
    const runner = new Runner();
    const root = this.agents[0]!;
    return { life, events, ...(this.#plan.streams ? settleStreamed(runner.run(root, input, { ...options, stream: true }), []) : settlePlain(runner.run(root, input, options))) };
  }

  #resume(runId: string): Attempt {
    if (this.#isDisturbed && this.#chance.chance(0.1) && this.#bystanders.every(({ settled }) => settled) && repeated(this.store, runId)) this.log.push('an entry stands there twice');
    return this.#attemptAgain(runId);
  }

  #attemptAgain(runId: string): Attempt {
    this.log.push(`resumes ${runId} from ${this.store.read(runId).length} entries`);
    const life = this.#born();
    const events: RunEvent[] = [];
    const { runId: _runId, ...options } = this.#options(life, runId, events);
    const all = { ...options, agents: agentsOf(this.#plan, this.town) };
    return { life, events, ...(this.#plan.streams ? settleStreamed(resume<any>(runId, { ...all, stream: true }), []) : settlePlain(resume<any>(runId, all))) };
  }

  /** Time passes until the run rests, its process is gone, or nothing moves any more. */
  async #watch(attempt: Attempt, runId: string): Promise<Settled | 'gone' | 'stuck'> {
    let isGone = false;
    void attempt.life.gone.then(() => { isGone = true; });
    void attempt.outcome.then((settled) => { attempt.settled = settled; });
    for (let timers = 0; timers < MOST_TIMERS; timers += 1) {
      await this.clock.settle();
      if (isGone) return this.#leave(attempt);
      if (attempt.settled) return attempt.settled;
      await this.#meddle(attempt, runId);
      if (!(await this.clock.next()) && !isGone && !attempt.settled) return 'stuck';
    }
    return 'stuck';
  }

  #leave(attempt: Attempt): 'gone' {
    if (attempt.life.isSuperseded) this.#bystanders.push(attempt);
    return 'gone';
  }

  /** People and other processes, at moments that nobody foresees. */
  async #meddle(attempt: Attempt, runId: string): Promise<void> {
    if (!this.#isDisturbed) return;
    const chance = this.#chance;
    if (chance.chance(0.03)) this.#contend(runId);
    for (const one of this.#bystanders) if (one.life.isSuperseded && chance.chance(0.2)) one.life.thaw();
    if (this.#plan.isCalm) return;
    if (chance.chance(0.04)) this.#controls.interrupt.abort();
    else if (chance.chance(0.04)) this.#controls.stop.abort();
    else if (chance.chance(0.1) && this.#plan.streams) (await Promise.race([attempt.state, this.clock.settle()]))?.addInput('Hurry.');
    else if (chance.chance(0.05)) await this.clock.advance(chance.pick([1, 50, 5_000]));
  }

  #contend(runId: string): void {
    if (this.store.read(runId).length === 0) return;
    this.log.push(`another process tries ${runId}`);
    const other = this.#attemptAgain(runId);
    void other.outcome.then((settled) => { other.settled = settled; });
    this.#bystanders.push(other);
  }

  async #settleBystanders(): Promise<void> {
    for (const { life } of this.#bystanders) life.thaw();
    for (let timers = 0; timers < MOST_TIMERS && (await this.clock.next()); timers += 1);
    await this.clock.settle();
    for (const { life, settled } of this.#bystanders) {
      if (!life.isSuperseded || life.isOver) continue;
      const hadEnded = settled?.state?.source.outcome != null; // what it lost was a word after the end
      if (!hadEnded && !(settled && isJournalTrouble(settled.error))) this.complaints.push(`O4: a process that had lost its run ends with ${String(settled?.error ?? 'nothing')}`);
    }
  }

  /** Whoever decides does so by what is asked, and by what can be found out. */
  async #decided(runId: string, waiting: AnyState): Promise<Attempt> {
    while (await this.clock.next()); // bodies elsewhere come to their ends first
    const state = await this.#carried(runId, waiting);
    const items = state.getInterruptions();
    for (const item of items) this.#decide(state, item);
    return this.#start(runId, state);
  }

  /** A state goes from hand to hand as an object, as text, or not at all. */
  async #carried(runId: string, state: AnyState): Promise<AnyState> {
    const way = this.#isDisturbed ? this.#chance.pick(['object', 'text', 'journal']) : 'object';
    this.log.push(`decided about through ${way}: ${state.getInterruptions().map(({ id }) => id).join(', ')}`);
    if (way === 'object') return state;
    const agents = agentsOf(this.#plan, this.town);
    if (way === 'journal') return stateFromJournal<any>(runId, { journal: this.store, agents });
    const text = state.toString();
    const { agent } = JSON.parse(text) as { agent: string };
    return RunState.fromString<any, Agent<any, any>>(agents.find(({ name }) => name === agent)!, text);
  }

  #decide(state: AnyState, item: RunToolApprovalItem): void {
    if (item.uncertain) return this.#lookUp(state, item);
    const random = new Random(this.#plan.seed, 'decides', item.id);
    const choice = random.next();
    this.log.push(`${item.id}: ${choice.toFixed(2)} ${item.name}`);
    if (choice < 0.6) state.approve(item);
    else if (choice < 0.7) state.approve(item, { alwaysApprove: !this.#plan.isCalm }); // what is said of several calls is written one by one
    else if (choice < 0.8) state.approve(item, { arguments: { n: 1 + random.below(20) } });
    else if (choice < 0.9) state.reject(item, { message: 'No.' });
    else state.reject(item, { alwaysReject: !this.#plan.isCalm });
  }

  #lookUp(state: AnyState, item: RunToolApprovalItem): void {
    const body = `${pathOf(item.id)}/execute#${item.id.slice(item.id.lastIndexOf('#') + 1)}`;
    const { id } = this.ledger.find(body) ?? this.ledger.ofCall(item) ?? { id: body };
    const act = this.town.acts.find(({ effectId }) => effectId === id);
    if (act) state.useResult(item, resultOf(act.tool, act.n));
    else state.approve(item);
  }
}
