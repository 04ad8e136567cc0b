/** When a run is opened from a checkpoint, and when one is kept of it. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { CHECKPOINT_EVERY, type ChartVersions, type Checkpoint, checkpointFromText, checkpointToText } from './checkpoint.ts';
import type { Host } from './host.ts';

export interface CheckpointOptions {
  runId: string;
  /** As the journal keeps it. */
  text?: string;
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
  #text: string | undefined;
  #held: Checkpoint | undefined;
  /** Entries for which the text stands. */
  #position = 0;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#text = options.before?.text ?? options.text;
  }

  /** The newest one that a journal keeps. */
  get text(): string | undefined {
    return this.#text;
  }

  /** Where the run stands that waits here, for whoever goes on first: what is made of it changes it. */
  take(): Checkpoint | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** Feeds a recorded run to its host, from where its checkpoint stands. */
  async replay(host: Host, entries: readonly JournalEntry[]): Promise<void> {
    const { runId, before, isWatched, charts } = this.#options;
    const kept = this.#text === undefined ? undefined : checkpointFromText(runId, this.#text, charts);
    this.#position = kept?.position ?? 0;
    await host.replay(entries, isWatched ? undefined : (before?.take() ?? kept));
  }

  /** Holds on to a run that waits, while its actors are still there. */
  hold(host: Host): void {
    if (host.rest?.state === 'awaitingApproval') this.#held = host.checkpoint;
  }

  /** Has the journal keep a run that has come to rest, when enough was written since the last time; while its actors are still there. */
  async keep(host: Host): Promise<void> {
    const { runId, charts, every = CHECKPOINT_EVERY } = this.#options;
    const checkpoint = host.writer.length - this.#position >= every ? host.checkpoint : undefined;
    if (!checkpoint) return;
    this.#position = checkpoint.position;
    this.#text = checkpointToText(runId, checkpoint, charts);
    await host.writer.keep(this.#text);
  }
}
