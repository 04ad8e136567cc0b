/** What a person may say about a call that waits, by what it waits for; everything else is refused to whoever says it. */
import type { Call } from '../machines/protocol/call.ts';
import type { Decision } from '../machines/protocol/command.ts';
import { UserError } from './errors.ts';
import type { RunToolApprovalItem } from './items.ts';
import type { Answers } from './question.ts';

export interface ApproveOptions { alwaysApprove?: boolean; arguments?: string | Record<string, unknown>; reason?: string }
export interface RejectOptions { alwaysReject?: boolean; message?: string; interrupt?: boolean }

/** The call is there for one that is known before it waits. */
export interface Asked { item: RunToolApprovalItem; call: Call | undefined; check: AnswerCheck }
/** @throws UserError naming the question whose answer is missing or does not fit. */
export type AnswerCheck = (item: RunToolApprovalItem, call: Call, answers: Answers) => void;

/** @throws UserError for a question; for other arguments of a call that may have had its effect; for always, where it holds once. */
export function approvalSaid({ item, call }: Asked, { alwaysApprove, arguments: given, reason }: ApproveOptions): Decision {
  if (questionsOf(item, call)) throw new UserError(`The call ${item.id} asks a question: answer it with state.answer(item, { … }), or decline it with state.reject(item).`);
  if (item.uncertain && given !== undefined) throw new UserError(`The arguments of the call ${item.id} cannot be changed: it may have been carried out with those it has. Run it again as it is, say what it brought, or reject it.`);
  mustHoldOnce(item, alwaysApprove);
  const edited = given === undefined || typeof given === 'string' ? given : JSON.stringify(given);
  return { decision: 'approve', arguments: edited, always: alwaysApprove, reason };
}

/** @throws UserError for always, where it holds once. */
export function rejectionSaid({ item }: Asked, { alwaysReject, message }: RejectOptions): Decision {
  mustHoldOnce(item, alwaysReject);
  return { decision: 'reject', message, always: alwaysReject };
}

/** @throws UserError for a call that asks nothing, and for answers that do not fit. */
export function answerSaid({ item, call, check }: Asked, answers: Answers): Decision {
  if (!call || !questionsOf(item, call)) throw new UserError(`The call ${item.id} asks no question: approve or reject it.`);
  const given = JSON.parse(JSON.stringify(answers) ?? 'null') as Answers; // as it will be recorded; looked at next
  check(item, call, given);
  return { decision: 'answer', answers: given };
}

/** @throws UserError for a call that is not uncertain. */
export function resultSaid({ item }: Asked, output: unknown): Decision {
  if (!item.uncertain) throw new UserError(`The call ${item.id} has not run yet: approve or reject it. A result is given for a call that may have had its effect.`);
  return { decision: 'useResult', output };
}

/** Of this call alone, and of this one time: what is decided is not kept for others. */
export const holdsOnce = ({ uncertain, reason }: Pick<RunToolApprovalItem, 'uncertain' | 'reason'>): boolean => uncertain === true || reason !== undefined;

const questionsOf = (item: RunToolApprovalItem, call: Call | undefined) => item.questions ?? call?.questions;

/** That one of them may run again has never been kept for others; there it is left out in silence. */
function mustHoldOnce({ id, reason }: RunToolApprovalItem, always: boolean | undefined): void {
  if (always && reason !== undefined) throw new UserError(`The body of the call ${id} asks about this one time (${reason}): decide without always.`);
}
