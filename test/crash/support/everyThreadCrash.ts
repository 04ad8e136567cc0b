/** Plays a script of threads as if nothing happened, and then with its process dying at one write after the other. */
import { MemoryJournal } from 'loopchart';
import { normalise, scriptedModel, virtualClock, type ScriptedModel, type Step } from 'loopchart/testing';
import { expect } from 'vitest';
import { checkEvents, checkRequests } from '../../scenarios/support/invariants.ts';
import { ModelTally } from '../../scenarios/support/modelTally.ts';
import { START, plain } from '../../scenarios/support/scenario.ts';
import { threadProblems } from '../../scenarios/support/threadInvariants.ts';
import { type PlayedThread, type PlayedThreads, type SeenThread, type ThreadPlayer, type ThreadScript, type ThreadWorld, ThreadStage, seenThread, withoutChance } from '../../scenarios/support/threadScenario.ts';
import { differences } from './difference.ts';
import { DOUBTS } from './exceptions.ts';
import { type CrashPoint, Fate } from './fate.ts';
import { Ledger } from './ledger.ts';
import { MortalThread } from './mortalThread.ts';
import { Provider } from './provider.ts';
import { ThreadLives } from './threadLives.ts';
import { withinReason } from './withinReason.ts';

export interface ThreadTally {
  scripts: Set<string>;
  /** With why they were not played. */
  notPlayed: Map<string, string>;
  points: number;
  /** Points at which the play ended otherwise, and rightly so, by the reason. */
  doubts: Map<string, number>;
  /** Points at which all was the same but what it had cost. */
  costs: number;
  kinds: Set<string>;
}

/** @param share every nth point only, beginning at another one in each script. */
export function everyThreadCrash(share: number): { player: ThreadPlayer; tally: ThreadTally } {
  const tally: ThreadTally = { scripts: new Set(), notPlayed: new Map(), points: 0, doubts: new Map(), costs: 0, kinds: new Set() };
  let played = 0;
  const player: ThreadPlayer = async (script, { immortal }) => {
    const name = expect.getState().currentTestName ?? '';
    tally.scripts.add(name);
    const living = new ThreadStage();
    const asItIs = await living.end(await script(living));
    if (immortal) {
      tally.notPlayed.set(name, immortal);
      return asItIs;
    }
    const fate = new Fate();
    const undisturbed = await endOf(script, new MortalStage(fate));
    if ('error' in undisturbed) throw new Error('Without any death, the script fails on a thread that can die', { cause: undisturbed.error });
    const sameThreads = undisturbed.threads.filter(({ id }) => asItIs.threads.some((thread) => thread.id === id));
    expect(differences(byId(sameThreads), byId(withoutChance(asItIs.threads))), 'a thread that can die, and does not, is like any other').toEqual([]);
    played += 1;
    for (const [at, kind] of fate.writes.entries()) {
      for (const [nth, moment] of (['before', 'after'] as const).entries()) {
        if ((2 * at + nth + played) % share === 0) await playCrashed(script, { point: { write: at + 1, moment }, kind, undisturbed, tally });
      }
    }
    return asItIs;
  };
  return { player, tally };
}

interface Ended { threads: SeenThread[]; unanswered: number }
interface Crash { point: CrashPoint; kind: string; undisturbed: Ended; tally: ThreadTally }

/** What must not be fails wherever a process dies; only a difference in how the script ends may have its reason. */
async function playCrashed(script: ThreadScript<unknown>, { point, kind, undisturbed, tally }: Crash): Promise<void> {
  const stage = new MortalStage(new Fate(point));
  const where = `the process dies ${point.moment} write ${point.write} (${kind})`;
  tally.points += 1;
  for (const one of kind.split(' + ')) tally.kinds.add(`${point.moment} ${one.replace(/ .*/, '')}`);
  const ending = await endOf(script, stage);
  expect(stage.problems, where).toEqual([]);
  expect(stage.unanswered, `${where}: L1, words without an answer`).toBeLessThanOrEqual(undisturbed.unanswered);
  const { doubt } = stage;
  const others = 'error' in ending ? [String(ending.error)] : differences(ending, undisturbed);
  if (others.length > 0 && doubt !== undefined) {
    const isOnlyCost = doubt === DOUBTS.calling && others.every((one) => /^threads\.\d+\.usage\.totalTokens: /.test(one));
    if (isOnlyCost) tally.costs += 1;
    else tally.doubts.set(doubt, (tally.doubts.get(doubt) ?? 0) + 1);
    return;
  }
  if ('error' in ending) throw new Error(`${where}: the script itself fails`, { cause: ending.error });
  expect(others, where).toEqual([]);
}

const byId = (threads: readonly SeenThread[]) => Object.fromEntries(threads.map((thread) => [thread.id, plain(thread)]));

async function endOf(script: ThreadScript<unknown>, stage: MortalStage): Promise<Ended | { error: unknown }> {
  try {
    const { threads } = await withinReason(stage, script(stage).then((value) => stage.end(value)));
    return { threads: withoutChance(plain(threads)) as SeenThread[], unanswered: stage.unanswered };
  } catch (error) {
    return { error };
  }
}

class MortalStage implements ThreadWorld {
  readonly clock = virtualClock(START);
  readonly #store = new MemoryJournal();
  readonly #ledger = new Ledger(this.#store);
  readonly #tally = new ModelTally();
  readonly #provider = new Provider(this.#tally);
  readonly #fate: Fate;
  readonly #made: MortalThread[] = [];

  constructor(fate: Fate) {
    this.#fate = fate;
  }

  model(...steps: Step[]): ScriptedModel {
    return this.#provider.model(scriptedModel(...steps));
  }

  thread(agent: Parameters<ThreadWorld['thread']>[0], { threadId: id, ...options }: NonNullable<Parameters<ThreadWorld['thread']>[1]> = {}): PlayedThread {
    const nth = this.#made.length + 1;
    const threadId = id ?? (nth === 1 ? 'thread_test' : `thread_test_${nth}`);
    const thread = new MortalThread(threadId, new ThreadLives({ threadId, agent, options, store: this.#store, clock: this.clock, fate: this.#fate, ledger: this.#ledger }));
    this.#made.push(thread);
    return thread;
  }

  async reopen(...[thread, given, options, later = 0]: Parameters<ThreadWorld['reopen']>): Promise<PlayedThread> {
    const mortal = this.#made.find((one) => one === thread)!; // it was made here
    await mortal.lives.leave('killed');
    this.#provider.forget(mortal.id);
    if (later > 0) await this.clock.advance(later);
    const [agent, ...agents] = given === undefined ? [] : [given].flat();
    await mortal.lives.reopen({ ...(agent && { agent }), ...((options || agent) && { options: { ...options, ...(agent && { agents }) } }) });
    return mortal;
  }

  async end<Value>(value: Value): Promise<PlayedThreads<Value>> {
    await this.clock.settle();
    const threads = this.#threads.map(seenThread);
    return { value, seen: threads[0]!, threads, requests: this.#tally.requests.map((request) => normalise(request)) };
  }

  get #threads(): MortalThread[] {
    return this.#made.flatMap((thread) => [thread, ...thread.forks]);
  }

  /** Words that nobody has answered. */
  get unanswered(): number {
    return this.#threads.reduce((sum, { lives }) => sum + lives.unanswered.size, 0);
  }

  get doubt(): string | undefined {
    const known = this.#threads.find(({ lives }) => lives.doubt !== undefined)?.lives.doubt;
    return known ?? (this.#threads.some(({ lives: { deaths, told } }) => deaths > 0 && told.some((event) => event.type === 'item.completed' && event.status === 'incomplete')) ? DOUBTS.text : undefined);
  }

  /** What must not be, wherever a process dies. */
  get problems(): string[] {
    checkRequests(this.#tally);
    for (const { told } of this.#threads) checkEvents(told);
    return [...this.#ledger.problems(), ...this.#threads.flatMap((thread) => [...thread.lives.complaints, ...threadProblems(thread.told, thread.look)])];
  }
}
