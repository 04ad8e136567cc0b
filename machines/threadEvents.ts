/** What a thread tells of itself. */
import type { LoopEvent } from './protocol/event.ts';
import type { CommandAnswer, Mail, ThreadCommand } from './protocol/thread.ts';
import { backgroundOf } from './threadCommands.ts';
import type { Beginning, ThreadContext, begun } from './threadMemory.ts';

export type Phase = NonNullable<Extract<LoopEvent, { type: 'thread.changed' }>['phase']>;
export type GoalChange = Extract<LoopEvent, { type: 'goal.changed' }>['why'];

export const whereabouts = ({ facts, agent }: ThreadContext) => ({ path: facts.path, agent });

export const phaseChanged = (context: ThreadContext, phase: Phase): LoopEvent => ({ type: 'thread.changed', ...whereabouts(context), state: 'active', phase, ...runOf(context) });

export const mailboxChanged = (context: ThreadContext, mailbox: Mail[]): LoopEvent => ({ type: 'mailbox.changed', ...whereabouts(context), mailbox });

/** What it begins with: its own input, what the last run had not read, which stands before that unless a turn has to be finished first (P2, G3), and mail. */
export function beginningEvents(context: ThreadContext, { ids, input: items, source, origin }: Beginning, { changes, input: { path, agent, base } }: ReturnType<typeof begun>): LoopEvent[] {
  const events: LoopEvent[] = [{ type: 'input.accepted', path, agent, ids, items, source, ...(origin && { origin }) }];
  const kept = base?.carried ? [] : (base?.pendingInput ?? []);
  if (kept.length > 0) events.push({ type: 'input.delivered', path: `${path}/agent.1`, agent, turn: 1, ids: kept.map(({ id }) => id), items: kept.map(({ item }) => item) });
  if (changes.mailbox) events.push(mailboxChanged(context, changes.mailbox));
  return events;
}

export function wentBack(context: ThreadContext, { to }: Extract<ThreadCommand, { type: 'thread.revert' }>, { history }: Partial<ThreadContext>): LoopEvent {
  return { type: 'thread.reverted', ...whereabouts(context), to, length: history!.length };
}

export function answered(context: ThreadContext, { id, type }: ThreadCommand, answer: CommandAnswer): LoopEvent {
  return { type: 'command.answered', ...whereabouts(context), id, command: type, answer };
}

/** `runId` is of whoever hears of it: the run that is going, or the one beside it that is named. */
export function accepted(context: ThreadContext, told: ThreadCommand): LoopEvent {
  const beside = 'path' in told ? backgroundOf(context, told.path) : undefined;
  return answered(context, told, { status: 'accepted', ...(beside === undefined ? runOf(context) : { runId: `${context.facts.path}/${beside}` }) });
}

const runOf = ({ current }: ThreadContext) => current && { runId: current.runId };
