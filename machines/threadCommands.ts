/** How a thread takes what it is told: for whom it is, what it becomes further down, and why not, where it cannot be done. */
import type { DoneActorEvent } from 'xstate';
import { mailMessage } from './history.ts';
import type { Downward, PendingInput } from './protocol/command.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { RunOutcome } from './protocol/outcome.ts';
import type { CommandAnswer, Mail, QueueEntry, RejectReason, ThreadCommand } from './protocol/thread.ts';
import type { ReportOutcome } from './threadLeaves.ts';
import { type Beginning, type Report, type ThreadContext, asked, lengthAt } from './threadMemory.ts';

export type Told<Type extends ThreadCommand['type']> = Extract<ThreadCommand, { type: Type }>;
type BackgroundEnd = DoneActorEvent<RunOutcome, `background.${string}`>;

/** A run beside the others has ended, and this is what it says; or what the app says of it. */
export function endOf({ event }: { event: BackgroundEnd | DoneActorEvent<ReportOutcome, `report.${string}`> }): Report {
  const id = event.actorId.replace('report', 'background');
  return 'at' in event.output ? { id, content: textOfReport(event.output), triggerTurn: true } : { id, content: wordsOf(event.output), triggerTurn: event.output.status !== 'interrupted' };
}

const textOfReport = (outcome: ReportOutcome) => (outcome.status === 'ok' ? outcome.value.text : failedWords(outcome.failure.message));
const failedWords = (message = '') => `The work failed: ${message}`;

function wordsOf({ status, output, failure }: RunOutcome): string {
  if (status === 'completed') return typeof output === 'string' ? output : JSON.stringify(output ?? null);
  return status === 'failed' ? failedWords(failure?.message) : `The work was ${status}.`;
}

export const runEnded = ({ event }: { event: BackgroundEnd }) => ({ id: event.actorId, outcome: event.output });

export const entryOf = (told: Told<'queue.edit' | 'queue.move' | 'queue.remove'>) => (told.type === 'queue.edit' ? told.entry.id : told.entryId);

/** A run that was asked for and has to wait. */
export const entryAsked = ({ id, input, overrides }: Told<'thread.run'>): { entry: QueueEntry } => ({ entry: overrides ? { id, input, overrides } : { id, input } });

/** The actor of a run beside the others, by the path of it or of something in it. */
export function backgroundOf({ facts, background }: ThreadContext, path: string | undefined): string | undefined {
  return Object.keys(background).find((actorId) => !background[actorId]!.isOver && isIn(path, `${facts.path}/${actorId}`));
}

const isIn = (path: string | undefined, run: string) => path === run || path?.startsWith(`${run}/`) === true;

export function isForRun(context: ThreadContext, told: ThreadCommand): boolean {
  const { current } = context;
  if (!current || !isExpected(context, told)) return false;
  const path = 'path' in told ? told.path : undefined;
  if (path === undefined || path === current.runId) return true;
  return told.type === 'thread.steer' && path.startsWith(`${current.runId}/`);
}

/** P5: what says which run it is for is for no other. */
export const isExpected = ({ current }: ThreadContext, { expectedRunId }: ThreadCommand) => expectedRunId === undefined || expectedRunId === current?.runId;

/** What is answered when nothing is done. */
export function declined(context: ThreadContext, told: ThreadCommand): CommandAnswer {
  const reason = reasonOf(context, told);
  return reason ? { status: 'rejected', reason, ...(context.current && { runId: context.current.runId }) } : { status: 'noEffect' };
}

function reasonOf(context: ThreadContext, told: ThreadCommand): RejectReason | undefined {
  switch (told.type) {
    case 'thread.run':
      if (!isExpected(context, told)) return 'stale';
      return told.whenBusy === 'reject' ? 'busy' : whyNoRun(context);
    case 'thread.steer':
      return misaddressed(context, told) ?? whyNoRun(context);
    case 'thread.interrupt':
    case 'thread.softStop':
      return misaddressed(context, told);
    case 'thread.revert':
      return 'unknownPoint';
    case 'queue.edit':
    case 'queue.move':
    case 'queue.remove':
      return 'unknownEntry';
    case 'rule.remove':
      return 'unknownRule';
    default:
      return undefined;
  }
}

/** Meant for another run than the one that is going, or for nobody in it (P5, L7). */
function misaddressed(context: ThreadContext, told: ThreadCommand): RejectReason | undefined {
  if (!context.current || isForRun(context, told)) return undefined;
  return isExpected(context, told) ? 'unknownPath' : 'stale';
}

/** A run that is there and hears nothing is on its way out. */
const whyNoRun = ({ current }: ThreadContext): RejectReason => (current ? 'stopping' : 'noRun');

export const isPoint = (context: ThreadContext, { to, history }: Told<'thread.revert'>) => history !== undefined || lengthAt(context, to) !== null;

export const steering = ({ input, mode, path, cut }: Told<'thread.steer'>): Downward => ({ type: 'steer', input, ...(mode && { mode }), ...(path !== undefined && { path }), ...(cut && { cut }) });

/** Items that join the run at its next safe point. */
export const joining = (id: string, items: AgentInputItem[]): Downward => ({ type: 'steer', input: items.map((item, at) => ({ id: at === 0 ? id : `${id}.${at}`, item })) });

export const injecting = ({ id, items }: Told<'thread.inject'>): Downward => ({ type: 'steer', input: items.map((item, at): PendingInput => ({ id: at === 0 ? id : `${id}.${at}`, item, injected: true })) });

/** Mail, as it is handed to the run that is going. */
export const posted = (mail: Mail): Downward => ({ type: 'mail', input: [{ id: mail.id, item: mailMessage(mail), origin: 'mail' }] });

export function interruption({ at, ...told }: ThreadCommand): Downward {
  const { partials, notice, reason = told.type === 'thread.run' ? 'replaced' : 'user' } = told as Partial<Told<'thread.interrupt'>>; // not all that interrupt say so much
  return { type: 'interrupt', reason, at, ...(partials && { partials }), ...(notice !== undefined && { notice }) };
}

/** The run that takes the place of the one that is going. */
export function nextRun({ next }: ThreadContext): Beginning {
  if (next?.type !== 'thread.run') throw new Error('No run is to take the place of this one.');
  return asked(next);
}

export function nextRevert({ next }: ThreadContext): Told<'thread.revert'> {
  if (next?.type !== 'thread.revert') throw new Error('The history is not to go back.');
  return next;
}
