/** Where the threads of a server come from. */
import type { Thread, ThreadEvent, ThreadLook } from '../../actors/thread/types.ts';

/** A thread as it is listed. */
export interface ThreadEntry {
  id: string;
  /** In ms since the epoch. */
  createdAt: number;
  updatedAt: number;
  forkedFromId?: string;
}

/** Of a thread that is only looked at. */
export type PastLook = Pick<ThreadLook, 'history' | 'runs' | 'agent' | 'activeRunId'>;
export type EventListener = (event: ThreadEvent) => void;

export interface ThreadSource {
  /** @param ephemeral kept in memory only. */
  start(options: { ephemeral: boolean; onEvent: EventListener }): Promise<Thread>;
  /**
   * Goes on with a thread, in this process; nothing for one that is not there. The listener also hears what is told again while the
   * thread is opened. @throws JournalConflict while another process is at work on it.
   */
  open(threadId: string, options: { onEvent: EventListener }): Promise<Thread | undefined>;
  /** How a thread stands and what has happened in it, without going on with it. */
  look(threadId: string): Promise<{ look: PastLook; events: readonly ThreadEvent[] } | undefined>;
  list(): Promise<readonly ThreadEntry[]>;
  /** Names of models that a client may choose from, the default one first. */
  models(): readonly string[];
  /** Whether threads outlive the process. */
  readonly isDurable: boolean;
}
