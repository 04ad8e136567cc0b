/** When a run is opened from a checkpoint, and when one is kept of it. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { CHECKPOINT_EVERY, type ChartVersions, type Checkpoint, checkpointFromText, checkpointToText } from './checkpoint.ts';
import type { Host } from './host.ts';

export interface CheckpointOptions {
  runId: string;
  /** Those of the execution, in this process, that the run goes on from. */
  before?: Checkpoints;
  /** Of the charts of today; default: those of a run. */
  charts?: ChartVersions;
  /** Entries between two of them. */
  every?: number;
  /** Watchers see every event again, also those that came before: for them the entries are fed from the first. */
  isWatched: boolean;
}

export class Checkpoints {
  readonly #options: CheckpointOptions;
  #held: Checkpoint | undefined;
  /** Entries for which the newest one stands that is kept. */
  #position = 0;

  constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  /** Where the run stands that waits here, for whoever goes on first: what is made of it changes it. */
  take(): Checkpoint | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /**
   * Feeds a recorded run to its host, from where its checkpoint stands.
   * @param text as the journal keeps it.
   */
  async replay(host: Host, entries: readonly JournalEntry[], text?: string): Promise<void> {
    const { runId, before, isWatched, charts } = this.#options;
    const kept = text === undefined ? undefined : checkpointFromText(runId, text, charts);
    this.#position = kept?.position ?? 0;
    await host.replay(entries, isWatched ? undefined : (before?.take() ?? kept));
  }

  /** Holds on to a run that waits, while its actors are still there. */
  hold(host: Host): void {
    if (host.rest?.state === 'awaitingApproval') this.#held = host.checkpoint;
  }

  /**
   * Has the journal keep a run that has come to rest, when enough was written since the last time; while its actors are still there.
   * @returns what is kept now, if that is new.
   */
  async keep(host: Host): Promise<string | undefined> {
    const { runId, charts, every = CHECKPOINT_EVERY } = this.#options;
    const checkpoint = host.writer.length - this.#position >= every ? host.checkpoint : undefined;
    if (!checkpoint) return undefined;
    this.#position = checkpoint.position;
    const text = checkpointToText(runId, checkpoint, charts);
    await host.writer.keep(text);
    return text;
  }
}
