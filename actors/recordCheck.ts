/** Holds recorded entries against the run that they are fed to: one that has changed is found out, and not gone on with (O5). */
import { type JournalEntry, JOURNAL_FORMAT } from '../machines/protocol/journal.ts';
import { CHART_VERSIONS } from '../machines/versions.ts';
import { messageOf } from './errorRecord.ts';
import { UserError } from './errors.ts';
import { JournalDivergence } from './journal.ts';

/** The run as the entries so far have left it. */
interface Present {
  readonly crash: { error: unknown } | null;
  readonly outcome: unknown;
}
interface Effects { has(id: string): boolean; readonly ids: readonly string[] }

export class RecordCheck {
  readonly #runId: string;
  readonly #effects: Effects;
  readonly #ended = new Set<string>();
  #charts: Record<string, string> = {};

  constructor(runId: string, effects: Effects) {
    this.#runId = runId;
    this.#effects = effects;
  }

  /**
   * False for what was recorded twice: it has been applied (O5).
   * @throws JournalDivergence for an entry that does not follow from those before it.
   */
  admits(entry: JournalEntry, position: number, present: Present, mark: () => string): boolean {
    if (position === 0) return this.#begins(entry);
    if (entry.type === 'effect.late') return true;
    if (present.crash && entry.type !== 'run.rest') this.#differs(position, `it breaks: ${messageOf(present.crash.error)}`);
    const isEffect = 'id' in entry && entry.type !== 'decide';
    if (isEffect && !this.#effects.has(entry.id)) {
      if (this.#ended.has(entry.id)) return false;
      this.#differs(position, `${entry.type} of ${entry.id} is recorded, and ${this.#waiting()}`);
    }
    if (present.outcome !== null && entry.type !== 'run.rest') this.#differs(position, `"${entry.type}" is recorded, and the run is over by then`);
    if (entry.type === 'run.start' || entry.type === 'thread.start') this.#differs(position, 'it starts twice');
    if (entry.mark !== undefined && entry.mark !== mark()) this.#differs(position, `something else was waited for; now ${this.#waiting()}`);
    if (entry.type === 'effect.done' || entry.type === 'effect.failed' || entry.type === 'effect.lost') this.#ended.add(entry.id);
    return true;
  }

  #begins(entry: JournalEntry): boolean {
    if (entry.type !== 'run.start' && entry.type !== 'thread.start') throw new JournalDivergence(this.#runId, 0, 'its start is missing');
    if (entry.format > JOURNAL_FORMAT) throw new UserError(`Run ${this.#runId} was recorded in format ${entry.format}, this version reads up to ${JOURNAL_FORMAT}. Update loopchart.`);
    this.#charts = entry.charts;
    return true;
  }

  #waiting(): string {
    const { ids } = this.#effects;
    return ids.length === 0 ? 'it waits for nothing' : `it waits for ${ids.map((id) => id.replace(`${this.#runId}/`, '')).join(', ')}`;
  }

  #differs(position: number, what: string): never {
    const changed = Object.entries(CHART_VERSIONS).filter(([name, version]) => this.#charts[name] !== version);
    const charts = changed.map(([name, version]) => `${name} was of version ${this.#charts[name] ?? 'none'} and is of ${version}`);
    throw new JournalDivergence(this.#runId, position, charts.length > 0 ? `${what} (chart ${charts.join(', chart ')})` : what);
  }
}
