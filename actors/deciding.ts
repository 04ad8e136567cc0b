/** What is said about the calls of a run: completed, recorded, and passed on to others for which it holds as well (D2). */
import type { Call } from '../machines/protocol/call.ts';
import type { Command, Decision } from '../machines/protocol/command.ts';
import { completeDecision, standingDecision } from './effects/approvals.ts';
import { checkedAnswers } from './effects/questions.ts';
import { expired } from './expiry.ts';
import type { Host, OpenDecision } from './host.ts';
import type { Clock } from './ports.ts';
import type { RunState } from './runState.ts';
import type { StagedDecision } from './savedState.ts';
import type { RunScope } from './scope.ts';

interface DecidingOptions {
  host: Host;
  clock: Clock;
  state: RunState<any, any>; // `any`: of whatever agent and context
  scopeOf: (id: string) => RunScope;
  /** With which a call is rejected that is to end the run. */
  interruption: () => Command;
}

export class Deciding {
  readonly #with: DecidingOptions;
  /** Calls about which a decision is on its way: a second one comes too late. */
  readonly #answering = new Set<string>();

  constructor(options: DecidingOptions) {
    this.#with = options;
  }

  /** @param atRest what waited when the run came to rest; its actors are gone since. */
  standing(id: string, atRest: readonly OpenDecision[] | undefined): 'open' | 'stale' | 'unknown' {
    if (this.#answering.has(id)) return 'stale';
    return atRest?.some((open) => open.id === id) ? 'open' : this.#with.host.standing(id);
  }

  /** The call that a decision would be about, whether it waits already or not. */
  callOf(id: string, atRest: readonly OpenDecision[] | undefined): Call | undefined {
    return atRest?.find((open) => open.id === id)?.call ?? this.#with.host.decisions.announced(id)?.input.call;
  }

  /** A decision with edited arguments is checked before it is recorded (D2); one that holds for always, for all that wait. */
  async decide(id: string, decision: Decision, interrupts = false): Promise<void> {
    const { host, scopeOf, interruption } = this.#with;
    this.#answering.add(id);
    try {
      const isToCheck = decision.decision === 'answer' || (decision.decision === 'approve' && decision.arguments !== undefined);
      const open = host.openDecisions.find((one) => one.id === id) ?? (isToCheck ? host.decisions.expected(id) : undefined);
      const complete = open ? await completeDecision(scopeOf(open.id), open, decision) : decision;
      host.decide(id, complete, ...(interrupts ? [interruption()] : []));
      if ('always' in decision && decision.always) await this.reconsider();
    } catch (error) {
      host.fail(error); // code of the app threw while it worded the answer
    }
  }

  /** All that was said while the run was at rest. Whose time was over by then was not decided in time, unless it was rejected anyway (D7). */
  async takeAll(): Promise<void> {
    const { host, clock, state } = this.#with;
    const staged = this.#takeFitting(state.takeDecisions());
    const late = new Set(host.decisions.overdue(clock.now()).filter((id) => !staged.some((said) => said.id === id && said.decision.decision === 'reject')));
    for (const id of late) host.decide(id, expired(host.effects.get(id)!)); // it is open
    for (const { id, decision, interrupts } of staged) if (!late.has(id)) await this.decide(id, decision, interrupts);
    await this.reconsider();
  }

  /** A tool may have changed since its question was answered: then nothing is told to the run, and the call still waits (D8). */
  #takeFitting(staged: StagedDecision[]): StagedDecision[] {
    const { host, scopeOf, state } = this.#with;
    try {
      for (const { id, decision } of staged) {
        const open = decision.decision === 'answer' ? host.openDecisions.find((one) => one.id === id) : undefined;
        if (open && decision.decision === 'answer') checkedAnswers(scopeOf(id), scopeOf(id).agent(open.agent), open.call, decision.answers);
      }
      return staged;
    } catch (error) {
      state.restore({ decisions: staged, staged: [] });
      throw error;
    }
  }

  /** Holds what waits against what was decided for always, and against rules that came later (M8). */
  async reconsider(): Promise<void> {
    const { host, scopeOf } = this.#with;
    for (const open of host.openDecisions) {
      const standing = standingDecision(scopeOf(open.id), open);
      if (standing && !this.#answering.has(open.id)) await this.decide(open.id, standing);
    }
  }
}
