/** A thread in a world full of trouble: people say whatever comes to their minds, processes die, disks fail, others want the thread. */
import { JournalConflict, MemoryJournal, Runner } from 'loopchart';
import { type VirtualClock, virtualClock } from 'loopchart/testing';
import { type Thread, openThread } from 'loopchart/thread';
import { type Blow, type Fortune } from '../../crash/support/fate.ts';
import { Ledger } from '../../crash/support/ledger.ts';
import { Life } from '../../crash/support/life.ts';
import { MortalThread } from '../../crash/support/mortalThread.ts';
import { ThreadLives } from '../../crash/support/threadLives.ts';
import { agentsOf } from './cast.ts';
import { type Plan, planOf } from './plan.ts';
import { Random } from './random.ts';
import { repeated } from './repeated.ts';
import { type Verdict, blowsIn } from './simulate.ts';
import { complaintsAboutThread } from './threadVerdict.ts';
import { Town, resultOf } from './town.ts';
import { MORE_WORDS, WORDS } from './words.ts';

export const THREAD_ID = 'thread_1';
/** More than any thread of a plan has ever needed. */
const MOST_STEPS = 3_000;
const MOST_ROUNDS = 60;
const BLOWS: readonly Blow[] = ['before', 'after', 'refused', 'torn', 'frozen'];

/** The endings are those of the runs of the thread. */
export async function simulateThread(seed: number): Promise<Omit<Verdict, 'isCalm'>> {
  const voyage = new ThreadVoyage(seed);
  const { log } = voyage;
  try {
    await voyage.sail();
    return { seed, complaints: await complaintsAboutThread(voyage), log, blows: blowsIn(log), endings: voyage.thread.look.runs.map(({ status }) => status) };
  } catch (error) {
    return { seed, complaints: [...voyage.complaints, `It throws: ${error instanceof Error ? error.stack : String(error)}`], log, blows: blowsIn(log), endings: [] };
  }
}

export class ThreadVoyage {
  readonly complaints: string[] = [];
  /** What befell it, for those who look into a seed. */
  readonly log: string[] = [];
  readonly clock: VirtualClock = virtualClock(Date.UTC(2026, 0, 1));
  readonly store = new MemoryJournal();
  readonly ledger = new Ledger(this.store);
  readonly plan: Plan;
  readonly town: Town;
  readonly thread: MortalThread;
  readonly options;
  /** What was said and not answered yet. */
  readonly waiting = new Set<string>();
  /** Inputs that a run of their own was promised. */
  readonly promised: string[] = [];
  readonly #chance: Random;
  readonly #isPeaceful: boolean;
  #blows = 0;
  #said = 0;
  #isAtEnd = false;
  /** Another process that has the thread for a while. */
  #guest: Thread | undefined;

  /** @param isPeaceful nothing befalls it. */
  constructor(seed: number, isPeaceful = false) {
    this.#chance = new Random(seed, 'thread');
    this.#isPeaceful = isPeaceful;
    this.plan = { ...planOf(seed), depth: 3 + (seed % 9), isCalm: false, ...(isPeaceful && { danger: 0 }) };
    this.town = new Town(this.plan, this.clock);
    const [agent, ...agents] = agentsOf(this.plan, this.town);
    this.options = { agents, runner: new Runner(), maxTurns: 8, checkpointEvery: this.#chance.pick([1, 5, 50]), steerMode: this.#chance.pick(['safePoint', 'safePoint', 'instant'] as const) };
    const { store, clock, ledger, options } = this;
    const fate: Fortune = { next: (kinds) => this.#blowAt(kinds) };
    const delay = this.plan.journalIsSlow ? this.#slowness(this.#chance.pick([0, 3, 40])) : undefined;
    const gapMs = () => (this.#chance.chance(0.5) ? 0 : this.#chance.pick([1, 50, 2_000]));
    const lives = new ThreadLives({ threadId: THREAD_ID, agent: agent!, options, store, clock, fate, ledger, ...(delay && { delay }), gapMs, world: { result: (effectId) => this.#resultOf(effectId), patienceMs: 1_000 } });
    this.thread = new MortalThread(THREAD_ID, lives);
  }

  async sail(): Promise<void> {
    const words = 6 + this.#chance.below(14);
    for (let step = 0; step < MOST_STEPS && this.#said < words; step += 1) {
      await this.clock.settle();
      if (this.#chance.chance(0.3)) this.#saySomething();
      else if (!this.#isPeaceful && this.#chance.chance(0.15)) await this.#meddle();
      else await this.clock.next();
    }
    await this.#toTheEnd();
    this.#isAtEnd = true; // what is looked at is looked at in peace
  }

  /** So that all comes to its end some day, blows become rarer. */
  #isStruck(): boolean {
    return !this.#isAtEnd && this.#chance.chance(this.plan.danger / (1 + this.#blows / 8));
  }

  #blowAt(kinds: string): Blow | undefined {
    const blow = this.#isStruck() ? this.#chance.pick(BLOWS) : undefined;
    this.log.push(`writes ${kinds}${blow ? ` — ${blow}` : ''}`);
    if (blow) this.#blows += 1;
    return blow;
  }

  #slowness(ms: number): () => Promise<unknown> {
    return ms === 0 ? () => Promise.resolve() : () => new Promise((resolve) => this.clock.setTimeout(() => resolve(undefined), ms));
  }

  #resultOf(effectId: string): { output: unknown } | undefined {
    const act = this.town.acts.find((one) => one.effectId === effectId);
    return act && { output: resultOf(act.tool, act.n) };
  }

  #saySomething(): void {
    this.#said += 1;
    const id = `said_${this.#said}`;
    const [name, say] = this.#chance.pick(this.plan.seed % 2 === 0 ? MORE_WORDS : WORDS);
    this.log.push(`says ${name} ${id}`);
    this.waiting.add(`${name} ${id}`);
    void say(this.thread, id, this.#chance).then((receipt) => {
      this.waiting.delete(`${name} ${id}`);
      this.log.push(`hears of ${id}: ${receipt ? receipt.status : 'done'}`);
      if (receipt?.status === 'accepted' && (name === 'run' || name === 'replace' || name === 'queue')) this.promised.push(id);
    }, (error: unknown) => void this.complaints.push(`L1: ${name} ${id} is answered by an error: ${String(error)}`));
  }

  /** Other processes, and time, at moments that nobody foresees. */
  async #meddle(): Promise<void> {
    const chance = this.#chance;
    for (const { life } of this.thread.lives.strays) if (chance.chance(0.2)) life.thaw();
    if (this.#guest && chance.chance(0.3)) return this.#leave();
    const { owner } = this.thread.lives;
    if (!owner && !this.#guest && chance.chance(0.2) && repeated(this.store, THREAD_ID)) this.log.push('an entry stands there twice');
    const choice = chance.next();
    if (choice < 0.4) await this.#contend();
    else if (choice < 0.5) await this.clock.advance(chance.pick([1, 50, 5_000]));
    else if (owner && this.#isStruck()) {
      this.log.push('its lease is over, others take the thread — lapsed');
      this.#blows += 1;
      owner.lapse();
    }
  }

  /** Another process wants the thread: it is refused, and nobody notices; where nobody has it just then, it goes on with it for a while (O4). */
  async #contend(): Promise<void> {
    if (this.store.read(THREAD_ID).length === 0) return;
    const { owner } = this.thread.lives;
    const life = new Life({ store: this.store, clock: this.clock, fate: { next: () => undefined } });
    this.ledger.watch(life);
    this.log.push('another process tries the thread');
    const refused = (error: unknown) => void (error instanceof JournalConflict || this.complaints.push(`O4: another process is refused by ${String(error)}`));
    const opened = await openThread(THREAD_ID, { ...this.options, journal: life.journal, clock: life.clock, agents: agentsOf(this.plan, this.town) }).catch(refused);
    if (!opened) return;
    if (owner && this.thread.lives.owner === owner) this.complaints.push('O4: two processes have the thread');
    this.log.push('another process has the thread — taken');
    this.#guest = opened;
  }

  #leave(): void {
    this.log.push('the other process gives the thread back');
    void this.#guest?.release();
    this.#guest = undefined;
  }

  /** People answer whatever is asked, and say go on, until nothing is left to do. */
  async #toTheEnd(): Promise<void> {
    const { thread } = this;
    this.#leave();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      for (const { life } of thread.lives.strays) life.thaw();
      for (let timers = 0; timers < MOST_STEPS && (await this.clock.next()); timers += 1);
      await this.clock.settle();
      if (!thread.lives.owner) continue;
      const calls = thread.interruptions.filter(({ uncertain }) => !uncertain);
      for (const call of calls) await this.patiently(this.#chance.chance(0.7) ? thread.approve(call) : thread.reject(call));
      const isEmpty = thread.queue.list().length === 0 && !thread.look.mailbox.some(({ triggerTurn }) => triggerTurn);
      if (thread.state === 'closed' || (calls.length === 0 && isEmpty && thread.state !== 'active')) return;
      if (thread.state === 'paused') await this.patiently(thread.queue.resume());
    }
    this.complaints.push(`O1: the thread does not come to rest: ${thread.state} ${thread.look.phase ?? ''}`);
  }

  /** Time passes for what is being said. */
  readonly patiently = async <Value>(saying: Promise<Value>): Promise<Value | undefined> => {
    let answer: { value?: Value } | undefined;
    saying.then((value) => { answer = { value }; }, () => { answer = {}; });
    for (let timers = 0; timers < 200 && !answer; timers += 1) {
      await this.clock.settle();
      if (!answer) await this.clock.next();
    }
    if (!answer) this.complaints.push('O1: something that was said is never answered');
    return answer?.value;
  };
}
