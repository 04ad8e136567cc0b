/** A thread in a world full of trouble: people say whatever comes to their minds, processes die, disks fail, others want the thread. */
import '../../../actors/revive.ts'; // loaded on its first use otherwise, which takes time of which a virtual clock knows nothing
import { JournalConflict, MemoryJournal, Runner } from 'loopchart';
import { virtualClock } from 'loopchart/testing';
import { type Receipt, type Thread, type ThreadRun, openThread } from 'loopchart/thread';
import { type Blow, type Fortune } from '../../crash/support/fate.ts';
import { Ledger } from '../../crash/support/ledger.ts';
import { Life } from '../../crash/support/life.ts';
import { MortalThread } from '../../crash/support/mortalThread.ts';
import { checkEvents } from '../../scenarios/support/invariants.ts';
import { threadProblems } from '../../scenarios/support/threadInvariants.ts';
import { agentsOf } from './cast.ts';
import { planOf } from './plan.ts';
import { Random } from './random.ts';
import { Town, resultOf } from './town.ts';

export interface ThreadVerdict { seed: number; complaints: string[]; log: readonly string[]; blows: number; runs: string[] }

const THREAD_ID = 'thread_1';
/** More than any thread of a plan has ever needed. */
const MOST_STEPS = 3_000;
const MOST_ROUNDS = 60;

export async function simulateThread(seed: number): Promise<ThreadVerdict> {
  const voyage = new ThreadVoyage(seed);
  try {
    await voyage.sail();
  } catch (error) {
    voyage.complaints.push(`It throws: ${error instanceof Error ? error.stack : String(error)}`);
  }
  return { seed, complaints: voyage.complaints, log: voyage.log, blows: voyage.blows, runs: voyage.runs };
}

class ThreadVoyage {
  readonly complaints: string[] = [];
  readonly log: string[] = [];
  blows = 0;
  runs: string[] = [];
  readonly #seed: number;
  readonly #chance: Random;
  readonly #clock = virtualClock(Date.UTC(2026, 0, 1));
  readonly #store = new MemoryJournal();
  readonly #ledger = new Ledger(this.#store);
  readonly #thread: MortalThread;
  readonly #town: Town;
  readonly #options;
  /** What was said and not answered yet. */
  readonly #waiting = new Set<string>();
  /** Inputs that a run of their own was promised. */
  readonly #promised: string[] = [];
  #said = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#chance = new Random(seed, 'thread');
    const plan = { ...planOf(seed), depth: 3 + (seed % 9), isCalm: false };
    this.#town = new Town(plan, this.#clock);
    const [agent, ...agents] = agentsOf(plan, this.#town);
    this.#options = { agents, runner: new Runner(), maxTurns: 8, checkpointEvery: this.#chance.pick([1, 5, 50]), steerMode: this.#chance.pick(['safePoint', 'safePoint', 'instant'] as const) };
    const fate: Fortune = { next: (kinds) => this.#blowAt(kinds, plan.danger) };
    this.#thread = new MortalThread({ threadId: THREAD_ID, agent: agent!, options: this.#options, store: this.#store, clock: this.#clock, fate, ledger: this.#ledger, isSlow: plan.journalIsSlow, result: (effectId) => this.#resultOf(effectId) });
  }

  async sail(): Promise<void> {
    const words = 6 + this.#chance.below(14);
    for (let step = 0; step < MOST_STEPS && this.#said < words; step += 1) {
      await this.#clock.settle();
      if (this.#chance.chance(0.3)) this.#saySomething();
      else if (this.#chance.chance(0.05)) await this.#contend();
      else await this.#clock.next();
    }
    await this.#toTheEnd();
    this.#judge();
  }

  #blowAt(kinds: string, danger: number): Blow | undefined {
    const blow = this.#chance.chance(danger / (1 + this.blows / 8)) ? this.#chance.pick<Blow>(['before', 'after']) : undefined; // so that all comes to its end some day
    this.log.push(`writes ${kinds}${blow ? ` — ${blow}` : ''}`);
    if (blow) this.blows += 1;
    return blow;
  }

  #resultOf(effectId: string): { output: unknown } | undefined {
    const act = this.#town.acts.find((one) => one.effectId === effectId);
    return act && { output: resultOf(act.tool, act.n) };
  }

  #saySomething(): void {
    const thread = this.#thread;
    this.#said += 1;
    const id = `said_${this.#said}`;
    const [name, say] = this.#chance.pick(WORDS);
    this.log.push(`says ${name} ${id}`);
    this.#waiting.add(`${name} ${id}`);
    void say(thread, id, this.#chance).then((receipt) => {
      this.#waiting.delete(`${name} ${id}`);
      this.log.push(`hears of ${id}: ${receipt ? receipt.status : 'done'}`);
      if (receipt?.status === 'accepted' && (name === 'run' || name === 'replace' || name === 'queue')) this.#promised.push(id);
    }, (error: unknown) => void this.complaints.push(`L1: ${name} ${id} is answered by an error: ${String(error)}`));
  }

  /** Another process wants the thread: it is refused, and nobody notices (O4). */
  async #contend(): Promise<void> {
    if (this.#store.read(THREAD_ID).length === 0 || this.#thread.isBetweenLives) return;
    const other = new Life({ store: this.#store, clock: this.#clock, fate: { next: () => undefined } });
    this.#ledger.watch(other);
    this.log.push('another process tries the thread');
    const agents = agentsOf({ ...planOf(this.#seed) }, this.#town);
    const answer = await openThread(THREAD_ID, { ...this.#options, journal: other.journal, clock: other.clock, agents }).then(() => 'has it', (error: unknown) => (error instanceof JournalConflict ? 'is refused' : String(error)));
    if (answer !== 'is refused') this.complaints.push(`O4: another process ${answer}`);
  }

  /** People answer whatever is asked, and say go on, until nothing is left to do. */
  async #toTheEnd(): Promise<void> {
    const thread = this.#thread;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      for (let timers = 0; timers < MOST_STEPS && (await this.#clock.next()); timers += 1);
      await this.#clock.settle();
      if (thread.isBetweenLives) continue;
      const calls = thread.interruptions.filter(({ uncertain }) => !uncertain);
      for (const call of calls) await this.#patiently(this.#chance.chance(0.7) ? thread.approve(call) : thread.reject(call));
      const isEmpty = thread.queue.list().length === 0 && !thread.look.mailbox.some(({ triggerTurn }) => triggerTurn);
      if (thread.state === 'closed' || (calls.length === 0 && isEmpty && thread.state !== 'active')) return;
      if (thread.state === 'paused') await this.#patiently(thread.queue.resume());
    }
    this.complaints.push(`O1: the thread does not come to rest: ${thread.state} ${thread.look.phase ?? ''}`);
  }

  /** Time passes for what is being said. */
  async #patiently(saying: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = () => { isOver = true; };
    saying.then(over, over);
    for (let timers = 0; timers < 200 && !isOver; timers += 1) {
      await this.#clock.settle();
      if (!isOver) await this.#clock.next();
    }
    if (!isOver) this.complaints.push('O1: something that was said is never answered');
  }

  #judge(): void {
    const { look, told } = this.#thread;
    this.runs = look.runs.map(({ status }) => status);
    const begun = told.flatMap((event) => (event.type === 'input.accepted' && event.source ? event.ids : []));
    const taken = new Set(told.flatMap((event) => (event.type === 'command.answered' && event.command === 'queue.remove' && event.answer.status === 'accepted' ? [event.id] : [])));
    const lost = this.#promised.filter((id) => begun.filter((one) => one === id).length !== 1);
    this.complaints.push(
      ...this.#town.complaints, ...this.#ledger.problems(), ...this.#thread.complaints, ...threadProblems(told, look),
      ...[...this.#waiting].map((what) => `L1: ${what} is never answered`),
      ...(lost.length > taken.size + look.queue.length ? [`M2: ${lost.join(', ')} were promised runs`] : []),
    );
    try {
      checkEvents(told);
    } catch (error) {
      this.complaints.push((error as Error).message.split('\n')[0]!);
    }
  }
}

type Saying = (thread: MortalThread, id: string, chance: Random) => Promise<Receipt | undefined>;
const quiet = ({ receipt, result }: ThreadRun): Promise<Receipt> => {
  result.catch(() => undefined); // most end badly
  return receipt;
};

/** How often each is said, by how often it stands here. */
const WORDS: [name: string, say: Saying][] = [
  ['run', (thread, id) => quiet(thread.run(`Do ${id}.`, { id }))],
  ['run', (thread, id) => quiet(thread.run(`Do ${id}.`, { id }))],
  ['run', (thread, id) => quiet(thread.run(`Do ${id}.`, { id }))],
  ['replace', (thread, id) => quiet(thread.run(`Do ${id} instead.`, { id, whenBusy: 'replace' }))],
  ['queue', (thread, id) => quiet(thread.queue.add(`Then ${id}.`, { id }))],
  ['queue', (thread, id) => quiet(thread.queue.add(`Then ${id}.`, { id }))],
  ['steer', (thread, id) => thread.steer(`Mind ${id}.`, { id })],
  ['steer', (thread, id) => thread.steer(`Mind ${id}.`, { id })],
  ['steer', (thread, id) => thread.steer(`Mind ${id}.`, { id, mode: 'instant' })],
  ['mail', (thread, id, chance) => thread.mail({ id, from: 'host', content: `News ${id}.`, triggerTurn: chance.chance(0.5) })],
  ['interrupt', (thread) => thread.interrupt()],
  ['stopAfterTurn', (thread) => thread.stopAfterTurn()],
  ['resume', (thread) => thread.queue.resume()],
  ['remove', (thread, id) => thread.queue.remove(thread.queue.list()[0]?.id ?? id)],
  ['approve', (thread) => decideAll(thread, (call) => thread.approve(call))],
  ['reject', (thread) => decideAll(thread, (call) => thread.reject(call))],
];

async function decideAll(thread: MortalThread, decide: (call: Thread['interruptions'][number]) => Promise<void>): Promise<undefined> {
  for (const call of thread.interruptions) if (!call.uncertain) await decide(call).catch(() => undefined); // decided or over in the meantime
}
