/** Plays a script of threads as if nothing happened, and then with its process dying at one write after the other. */
import { MemoryJournal } from 'loopchart';
import { normalise, scriptedModel, virtualClock, type ScriptedModel, type Step } from 'loopchart/testing';
import { expect } from 'vitest';
import { checkEvents, checkRequests } from '../../scenarios/support/invariants.ts';
import { ModelTally } from '../../scenarios/support/modelTally.ts';
import { START, plain } from '../../scenarios/support/scenario.ts';
import { threadProblems } from '../../scenarios/support/threadInvariants.ts';
import { type PlayedThread, type PlayedThreads, type ThreadPlayer, type ThreadScript, type ThreadWorld, ThreadStage, seenThread, withoutChance } from '../../scenarios/support/threadScenario.ts';
import { differences } from './difference.ts';
import { type CrashPoint, Fate } from './fate.ts';
import { Ledger } from './ledger.ts';
import { MortalThread, THREAD_OBSTACLES } from './mortalThread.ts';
import { Provider } from './provider.ts';

export interface ThreadTally { scripts: Set<string>; notPlayed: Map<string, string>; points: number; doubts: Map<string, number>; kinds: Set<string> }

/** @param share every nth point only, beginning at another one in each script. */
export function everyThreadCrash(share: number): { player: ThreadPlayer; tally: ThreadTally } {
  const tally: ThreadTally = { scripts: new Set(), notPlayed: new Map(), points: 0, doubts: new Map(), kinds: new Set() };
  let played = 0;
  const player: ThreadPlayer = async (script, { immortal }) => {
    const name = expect.getState().currentTestName ?? '';
    tally.scripts.add(name);
    if (immortal) {
      tally.notPlayed.set(name, immortal);
      const stage = new ThreadStage();
      return stage.end(await script(stage));
    }
    const living = new ThreadStage();
    const asItIs = await living.end(await script(living));
    const fate = new Fate();
    const stage = new MortalStage(fate);
    const undisturbed = await withinReason(stage, script(stage).then((value) => stage.end(value))).catch((error: unknown) => `it needs what only a process that lives has (${String(error)})`);
    const obstacle = typeof undisturbed === 'string' ? undisturbed : stage.obstacle;
    played += 1;
    if (typeof undisturbed === 'string' || obstacle !== undefined) tally.notPlayed.set(name, obstacle!); // one of the two
    else {
      expect(stage.problems).toEqual([]);
      for (const [at, kind] of fate.writes.entries()) {
        for (const [nth, moment] of (['before', 'after'] as const).entries()) {
          if ((2 * at + nth + played) % share === 0) await playCrashed(script, { point: { write: at + 1, moment }, kind, undisturbed, tally });
        }
      }
    }
    return asItIs;
  };
  return { player, tally };
}

interface Crash { point: CrashPoint; kind: string; undisturbed: PlayedThreads<unknown>; tally: ThreadTally }

async function playCrashed(script: ThreadScript<unknown>, { point, kind, undisturbed, tally }: Crash): Promise<void> {
  const stage = new MortalStage(new Fate(point));
  const where = `the process dies ${point.moment} write ${point.write} (${kind})`;
  tally.points += 1;
  for (const one of kind.split(' + ')) tally.kinds.add(`${point.moment} ${one.replace(/ .*/, '')}`);
  const ending = await withinReason(stage, script(stage).then((value) => stage.end(value))).catch((error: unknown) => ({ error }));
  expect(stage.problems, where).toEqual([]);
  const { doubt } = stage;
  if (doubt !== undefined) return void tally.doubts.set(doubt, (tally.doubts.get(doubt) ?? 0) + 1);
  if ('error' in ending) throw new Error(`${where}: the script itself fails`, { cause: ending.error });
  const comparable = ({ threads }: PlayedThreads<unknown>) => withoutChance(plain(threads));
  expect(differences(comparable(ending), comparable(undisturbed)), where).toEqual([]);
}

class MortalStage implements ThreadWorld {
  readonly clock = virtualClock(START);
  readonly #store = new MemoryJournal();
  readonly #ledger = new Ledger(this.#store);
  readonly #tally = new ModelTally();
  readonly #provider = new Provider(this.#tally);
  readonly #fate: Fate;
  readonly #threads: MortalThread[] = [];
  #found: string | undefined;

  constructor(fate: Fate) {
    this.#fate = fate;
  }

  model(...steps: Step[]): ScriptedModel {
    return this.#provider.model(scriptedModel(...steps));
  }

  thread(agent: Parameters<ThreadWorld['thread']>[0], { threadId, ...options }: NonNullable<Parameters<ThreadWorld['thread']>[1]> = {}): PlayedThread {
    const nth = this.#threads.length + 1;
    const thread = new MortalThread({ threadId: threadId ?? (nth === 1 ? 'thread_test' : `thread_test_${nth}`), agent, options, store: this.#store, clock: this.clock, fate: this.#fate, ledger: this.#ledger });
    this.#threads.push(thread);
    return thread;
  }

  async reopen(thread: PlayedThread): Promise<PlayedThread> {
    this.#found = THREAD_OBSTACLES.leaves;
    return thread;
  }

  async end<Value>(value: Value): Promise<PlayedThreads<Value>> {
    await this.clock.settle();
    const threads = this.#threads.map(seenThread);
    return { value, seen: threads[0]!, threads, requests: this.#tally.requests.map((request) => normalise(request)) };
  }

  get obstacle(): string | undefined {
    return this.#found ?? this.#threads.find(({ obstacle }) => obstacle !== undefined)?.obstacle;
  }

  get doubt(): string | undefined {
    return this.#threads.find(({ lives }) => lives.doubt !== undefined)?.lives.doubt ?? (this.#threads.some(({ lives: { deaths, told } }) => deaths > 0 && told.some((event) => event.type === 'item.completed' && event.status === 'incomplete')) ? 'text that had streamed is lost with its process' : undefined);
  }

  /** What must not be, wherever a process dies. */
  get problems(): string[] {
    checkRequests(this.#tally);
    for (const { told } of this.#threads) checkEvents(told);
    return [...this.#ledger.problems(), ...this.#threads.flatMap((thread) => [...thread.lives.complaints, ...threadProblems(thread.told, thread.look)])];
  }
}

const MOST_TURNS = 300;
const MOST_MS = 300;

/** A script that waits for what never comes is told so. */
async function withinReason<Value>(stage: MortalStage, play: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = () => { isOver = true; };
  play.then(over, over);
  const began = performance.now();
  for (let turns = 0; !isOver; turns += 1) {
    await stage.clock.settle();
    if (turns > MOST_TURNS && performance.now() - began > MOST_MS) throw new Error('The script waits for what never comes.');
  }
  return play;
}
