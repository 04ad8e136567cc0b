/** What a person says about the calls of a thread: checked like what is said about those of a run, and with a rule where it holds for always. */
import type { Decision } from '../../machines/protocol/command.ts';
import type { ThreadCommand } from '../../machines/protocol/thread.ts';
import { ApprovalRules } from '../approvalRules.ts';
import type { RunToolApprovalItem } from '../approvalItem.ts';
import type { Answers } from '../question.ts';
import { approvalItemOf } from '../runItems.ts';
import { checkedAnswers } from '../effects/questions.ts';
import { type Asked, answerSaid, approvalSaid, holdsOnce, rejectionSaid, resultSaid } from '../said.ts';
import type { ThreadExecution } from './threadExecution.ts';

export interface Approving { always?: boolean; arguments?: string | Record<string, unknown>; reason?: string }
export interface Rejecting { always?: boolean; message?: string }

export class PersonsSay {
  readonly #execution: ThreadExecution;

  constructor(execution: ThreadExecution) {
    this.#execution = execution;
  }

  async approve(call: RunToolApprovalItem | string, { always, ...options }: Approving): Promise<void> {
    const asked = this.#asked(call);
    const decision = approvalSaid(asked, { ...options, alwaysApprove: always });
    await this.#decide(asked, decision, always && !holdsOnce(asked.item) ? [ruleFor(asked.item, 'allow')] : []);
  }

  async reject(call: RunToolApprovalItem | string, { always, message }: Rejecting, ...then: ThreadCommand[]): Promise<void> {
    const asked = this.#asked(call);
    const decision = rejectionSaid(asked, { message, alwaysReject: always });
    await this.#decide(asked, decision, [...(always && !holdsOnce(asked.item) ? [ruleFor(asked.item, 'deny', message)] : []), ...then]);
  }

  async answer(call: RunToolApprovalItem | string, answers: Answers): Promise<void> {
    const asked = this.#asked(call);
    await this.#decide(asked, answerSaid(asked, answers), []);
  }

  async useResult(call: RunToolApprovalItem | string, output: unknown): Promise<void> {
    const asked = this.#asked(call);
    await this.#decide(asked, resultSaid(asked, output), []);
  }

  #asked(call: RunToolApprovalItem | string): Asked {
    const open = this.#execution.openCall(typeof call === 'string' ? call : call.id);
    const scope = this.#execution.effects.scopeOf(open.id);
    return { item: approvalItemOf(scope, open), call: open.call, check: (item, asked, answers) => void checkedAnswers(scope, item.agent, asked, answers) };
  }

  /** The rule says it for always, and can be taken back; what is decided here is this call alone. */
  #decide({ item }: Asked, decision: Decision, then: ThreadCommand[]): Promise<void> {
    const { always: _always, ...once } = decision as Decision & { always?: boolean }; // only of some
    return this.#execution.decide(item.id, once as Decision, then);
  }
}

function ruleFor(item: RunToolApprovalItem, ruling: 'allow' | 'deny', reason?: string): ThreadCommand {
  const id = globalThis.crypto.randomUUID();
  return { type: 'rule.add', id, at: 0, rule: { id: `always.${id}`, ...ApprovalRules.ruleFor(item, ruling, reason) } };
}
