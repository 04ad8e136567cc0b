/** What a run or a thread may be told from outside: whether it is taken or refused is found out here, before anything is recorded. */
import type { Command, Decision, InterruptReason } from '../machines/protocol/command.ts';
import type { Incoming, JournalEntry } from '../machines/protocol/journal.ts';
import type { ThreadCommand } from '../machines/protocol/thread.ts';
import type { Decisions } from './decisions.ts';
import { fingerprintOf } from './fingerprint.ts';
import { checkedCommand } from './ingress.ts';
import type { OpenEffects } from './openEffects.ts';

export type CommandReceipt = 'accepted' | 'over' | 'stale' | 'unknown';

export abstract class Addressed {
  abstract readonly effects: OpenEffects;
  abstract readonly decisions: Decisions;
  abstract get entries(): readonly JournalEntry[];
  /** Nothing is told or decided any more; what comes in is not even recorded (J3). */
  abstract get isOver(): boolean;
  /** One batch: applied whole or not at all. */
  abstract dispatch(...batch: Incoming[]): void;

  /** Of the run, or of the thread. */
  readonly runId: string;

  constructor(runId: string) {
    this.runId = runId;
  }

  /**
   * `over` when the run has settled, `stale` when the command is meant for another run, `unknown` when nothing is at work at the path
   * that a steer names: nothing was changed (J3, P5, L7).
   * @throws UserError for what is no command.
   */
  command(command: Command, expectedRunId = this.runId): CommandReceipt {
    checkedCommand(command);
    if (expectedRunId !== this.runId) return 'stale';
    if (this.isOver) return 'over';
    if (command.type === 'steer' && command.path !== undefined && !this.effects.hasBelow(command.path)) return 'unknown';
    this.dispatch(incoming(command));
    return 'accepted';
  }

  /** Tells a thread; `over` when it is closed. It answers with an event. */
  tell(command: ThreadCommand): CommandReceipt {
    if (this.isOver) return 'over';
    this.dispatch(incoming(command));
    return 'accepted';
  }

  interrupt(options: { keepPartial?: boolean; notice?: boolean; expectedRunId?: string; reason?: InterruptReason } = {}): CommandReceipt {
    const partials = options.keepPartial === false ? {} : this.effects.partials;
    return this.command({ type: 'interrupt', reason: options.reason ?? 'user', at: 0, partials, notice: options.notice ?? true }, options.expectedRunId);
  }

  /** A decision for a call that is announced but does not wait yet is kept for it (D4). With `then` both take effect, or neither (D2). */
  decide(id: string, decision: Decision, ...then: (Command | ThreadCommand)[]): void {
    if (this.standing(id) !== 'open') return;
    const { input } = this.decisions.announced(id)!; // it is open
    this.dispatch({ type: 'decide', id, decision, fingerprint: input.call && fingerprintOf(input.call) }, ...then.map(incoming));
  }

  /** What would become of a decision now: taken or kept, too late, or about no call of this run. */
  standing(id: string): 'open' | 'stale' | 'unknown' {
    return this.decisions.standing(id, { runId: this.runId, isOver: this.isOver, entries: this.entries });
  }
}

export const incoming = (command: Command | ThreadCommand): Incoming => ({ type: 'command', command });
