/** What a thread tells of itself. */
import type { LoopEvent } from './protocol/event.ts';
import type { RunInput } from './protocol/outcome.ts';
import type { CommandAnswer, Mail, ThreadCommand } from './protocol/thread.ts';
import type { Beginning, ThreadContext } from './threadMemory.ts';

export type Phase = NonNullable<Extract<LoopEvent, { type: 'thread.changed' }>['phase']>;
export type GoalChange = Extract<LoopEvent, { type: 'goal.changed' }>['why'];

export const whereabouts = ({ facts, agent }: ThreadContext) => ({ path: facts.path, agent });

export const phaseChanged = (context: ThreadContext, phase: Phase): LoopEvent => ({ type: 'thread.changed', ...whereabouts(context), state: 'active', phase, ...runOf(context) });

export const mailboxChanged = (context: ThreadContext, mailbox: Mail[]): LoopEvent => ({ type: 'mailbox.changed', ...whereabouts(context), mailbox });

export function inputAccepted({ ids, input: items, source, origin }: Beginning, { path, agent }: RunInput): LoopEvent {
  return { type: 'input.accepted', path, agent, ids, items, source, ...(origin && { origin }) };
}

export function wentBack(context: ThreadContext, { to }: Extract<ThreadCommand, { type: 'thread.revert' }>, { history }: Partial<ThreadContext>): LoopEvent {
  return { type: 'thread.reverted', ...whereabouts(context), to, length: history!.length };
}

export function answered(context: ThreadContext, { id, type }: ThreadCommand, answer: CommandAnswer): LoopEvent {
  return { type: 'command.answered', ...whereabouts(context), id, command: type, answer };
}

export const accepted = (context: ThreadContext, told: ThreadCommand) => answered(context, told, { status: 'accepted', ...runOf(context) });

const runOf = ({ current }: ThreadContext) => current && { runId: current.runId };
