/** The effects of a thread: those of each of its runs, in a scope of its own, and the few of the thread itself. */
import type { Leaves } from '../../machines/compose.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { RunInput, RunOutcome } from '../../machines/protocol/outcome.ts';
import type { Goal } from '../../machines/protocol/thread.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { KeptScope } from '../checkpoint.ts';
import { Effects } from '../effects/index.ts';
import type { EffectIo, EffectRunner } from '../host.ts';
import { type RunScope, ok } from '../scope.ts';
import { settledResult } from '../settledResult.ts';
import { Usage } from '../usage.ts';
import { summed } from './spent.ts';
import { withInvocation } from '../agentTool.ts';
import type { GoalCheck } from './options.ts';

export interface ThreadEffectsOptions {
  threadId: string;
  /** The scope of a run, as it is told. */
  scopeFor(input: RunInput): RunScope;
  /** Of what the thread does itself. */
  home: RunScope;
  isGoalReached?: GoalCheck;
  /** Time of the entry that is applied, in ms since the epoch. */
  now(): number;
  /** A run has been prepared: from now on it costs. */
  onBegun(scope: RunScope): void;
  /** Resolves when bodies that were told to stop have stopped, or their grace is over: before that no run begins (J2). */
  unwound(): Promise<void>;
}

export class ThreadEffects implements EffectRunner {
  readonly #options: ThreadEffectsOptions;
  /** Of the runs that are going, by their path. */
  readonly #runs = new Map<string, Effects>();
  readonly #home: Effects;
  /** Of runs beside the others that have ended, until the app has made their result. */
  readonly #ended = new Map<string, RunScope>();
  /** Runs that cannot be gone on with, because what they need is not there any more; of those that are over nothing is needed. */
  readonly #lost = new Map<string, unknown>();
  /** Of the runs that have ended. */
  #spent = new Usage();

  constructor(options: ThreadEffectsOptions) {
    this.#options = options;
    this.#home = new Effects(options.home, settledResult);
  }

  async run(src: keyof Leaves, input: any, io: EffectIo): Promise<RecordedOutcome> { // `any`: each effect has the input of its leaf
    if (src === 'goal') return this.#judge(input, io);
    if (src === 'report') return this.#report(input, io);
    if (src === 'prepare' && input.input.base) {
      await this.#options.unwound();
      io.signal.throwIfAborted();
      try {
        this.#begin(input.input);
      } catch (error) {
        return this.#options.home.failure('user', error, io.effectId); // what it needs is not there any more
      }
    }
    const effects = this.#of(io.effectId);
    if (effects === this.#home) {
      await this.#options.unwound();
      io.signal.throwIfAborted();
    }
    return effects.run(src, input, io);
  }

  observe(src: keyof Leaves, input: any, outcome: RecordedOutcome): void { // `any`: as above
    if (src === 'goal') return;
    if (src === 'report') return void this.#ended.delete(input.path);
    const isBeginning = src === 'prepare' && input.input.base;
    if (isBeginning && outcome.status === 'ok') this.#begun(rootOf(this.#beginOrLose(input.input)));
    const effects = this.#of(input.effectId);
    effects.observe(src, input, outcome);
    if (effects === this.#home) this.#count(this.#options.home);
  }

  async checkFits(src: keyof Leaves, input: any, isDecided: boolean): Promise<void> { // `any`: as above
    if (src === 'goal' || src === 'report') return;
    if (src === 'prepare' && input.input.base) this.#begin(input.input);
    const lost = [...this.#lost].find(([path]) => input.effectId.startsWith(`${path}/`));
    if (lost) throw lost[1];
    await this.#of(input.effectId).checkFits(src, input, isDecided);
  }

  scopeOf(effectId: string): RunScope {
    return this.#of(effectId).scopeOf(effectId);
  }

  isOfLiveRun(effectId: string): boolean {
    return this.#of(effectId) !== this.#home;
  }

  /** What all runs have cost, the ones that are going included. */
  get usage(): Usage {
    return summed(this.#spent, ...[...this.#runs.values()].map((run) => rootOf(run).runContext.usage));
  }

  get scopes(): Iterable<RunScope> {
    return [...this.#runs.values()].flatMap((run) => [...run.scopes]);
  }

  /** A run has ended: what it has cost stays. */
  forget(path: string): RunScope | undefined {
    const run = this.#runs.get(path);
    if (!run) return undefined;
    const scope = rootOf(run);
    this.#lost.delete(path);
    this.#count(scope);
    this.#runs.delete(path);
    if (scope.delegate?.extracts) this.#ended.set(path, scope);
    return scope;
  }

  get memory(): KeptScope[] {
    const home = { path: this.#options.threadId, memory: { ...this.#options.home.memory, usage: this.#spent } };
    return [home, ...[...this.#runs.values()].flatMap((run) => run.memory)];
  }

  recall(scopes: readonly KeptScope[], runs: readonly RunInput[]): boolean {
    for (const input of runs) if (input.base) this.#begin(input);
    for (const { path, memory } of scopes) if (path === this.#options.threadId && memory.usage !== undefined) this.#spent = Usage.fromJSON(memory.usage as Usage); // as `memory` gave it
    return [...this.#runs].every(([path, effects]) => {
      const isOf = (one: { path: string }) => one.path === path || one.path.startsWith(`${path}/`);
      return effects.recall(scopes.filter(isOf), runs.filter((one) => isOf(one) && one.path !== path));
    });
  }

  #count({ runContext }: RunScope): void {
    this.#spent = summed(this.#spent, runContext.usage);
    if (runContext === this.#options.home.runContext) runContext.usage = new Usage();
  }

  #begin(input: RunInput): Effects {
    const known = this.#runs.get(input.path);
    if (known) return known;
    const run = new Effects(this.#options.scopeFor(input), settledResult);
    this.#runs.set(input.path, run);
    return run;
  }

  /** What it has cost counts all the same. */
  #beginOrLose(input: RunInput): Effects {
    try {
      return this.#begin(input);
    } catch (error) {
      this.#lost.set(input.path, error);
      const { path, agent } = input;
      return this.#begin({ path, agent });
    }
  }

  /** `<threadId>/run.3/agent.1/…` belongs to the third run; what belongs to none is the thread's own. */
  #of(effectId: string): Effects {
    const { threadId } = this.#options;
    const end = effectId.indexOf('/', threadId.length + 1);
    return this.#runs.get(end < 0 ? effectId : effectId.slice(0, end)) ?? this.#home;
  }

  #begun(scope: RunScope): void {
    scope.ledger.begin(this.#options.now(), scope.option('budget'));
    this.#options.onBegun(scope);
  }

  /** What the app makes of what an agent has brought that worked beside the runs. */
  async #report({ path, from, outcome }: { path: string; from: string; outcome: RunOutcome }, io: EffectIo): Promise<RecordedOutcome> {
    const scope = this.#ended.get(path)!; // it has ended just before, here or on replay
    try {
      return ok({ text: await scope.delegate!.extractOutput(withInvocation(settledResult(scope, outcome), { toolName: from })) });
    } catch (error) {
      return scope.failure('user', error, io.effectId);
    }
  }

  async #judge({ goal, history }: { goal: Goal; history: AgentInputItem[] }, io: EffectIo): Promise<RecordedOutcome> {
    const { isGoalReached, home } = this.#options;
    try {
      const verdict = (await isGoalReached?.({ goal, history })) ?? false;
      return ok(typeof verdict === 'boolean' ? { done: verdict } : verdict);
    } catch (error) {
      return home.failure('user', error, io.effectId);
    }
  }
}

const rootOf = (run: Effects): RunScope => run.scopes[Symbol.iterator]().next().value!; // the run itself is the first
