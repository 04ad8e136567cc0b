/** Where the runs of a conversation are recorded, and how a person goes on with one of them. */
import { InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered } from '../../actors/errors.ts';
import { type Journal, JournalConflict } from '../../actors/journal.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { type OpenedJournal, quoted } from './journal/place.ts';
import { Thread } from './journal/thread.ts';
import type { PlayOptions } from './options.ts';

export interface Recording {
  journal: Journal;
  /** The conversation; a run may have been recorded without one. */
  thread?: Thread;
  where: string;
  /** The command that goes on with a run or a thread; `again` with one that has ended. */
  command(runId: string, again: boolean): string;
  /** The command that talks on in a thread. */
  chatting(threadId: string): string;
}

/** @param opened where a run or its conversation is. */
export function recordingIn({ journal, where, option }: OpenedJournal, threadId: string | undefined, { agentFile, model, api }: PlayOptions): Recording {
  const file = agentFile === undefined ? '' : ` ${quoted(agentFile)}`;
  const rest = `${option}${model === undefined ? '' : ` --model ${quoted(model)}`}${api === undefined ? '' : ` --api ${api}`}`;
  return {
    journal, where,
    ...(threadId !== undefined && { thread: new Thread(journal, threadId) }),
    chatting: (id) => `loopchart chat${file}${rest} --thread ${quoted(id)}`,
    command: (runId, again) => `loopchart resume ${quoted(runId)}${file}${rest}${again ? ' --again' : ''}`,
  };
}

/** Nothing where there is nothing to go on with: nothing of it could be recorded, it has its answer, a guardrail has stopped it, or another process is at work on it. */
export function wayOnAfter(recording: Recording, { runId, entries }: { runId: string; entries: readonly JournalEntry[] }, error?: unknown): string | undefined {
  if (entries.length === 0 || error instanceof JournalConflict || isTripwire(error)) return undefined;
  const last = entries.findLast(({ type }) => type !== 'effect.late');
  if (last?.type !== 'run.rest' || last.state === 'awaitingApproval') return recording.command(runId, false);
  return last.status === 'completed' ? undefined : recording.command(runId, true);
}

/** Guardrails do not look again at what they have looked at: a run that one of them stopped is not to go on. */
export const isTripwire = (error: unknown): boolean => error instanceof InputGuardrailTripwireTriggered || error instanceof OutputGuardrailTripwireTriggered;
