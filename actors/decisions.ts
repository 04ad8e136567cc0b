/** What people say about calls: taken where a call waits, kept where it does not wait yet, refused where it is too late (D4). */
import type { Call } from '../machines/protocol/call.ts';
import type { Decision } from '../machines/protocol/command.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { OpenEffect, OpenEffects } from './openEffects.ts';

/** A call that waits for a person; `uncertain` when it has begun before and nobody knows whether it had its effect (O3). */
export interface OpenDecision { id: string; path: string; agent: string; call: Call; uncertain?: boolean }

/** What is known of decisions between two entries. */
export interface KeptDecisions { early: [id: string, early: { decision: Decision; fingerprint: string | undefined }][]; taken: string[] }

export class Decisions {
  readonly #effects: OpenEffects;
  readonly #early = new Map<string, { decision: Decision; fingerprint: string | undefined }>();
  readonly #taken = new Set<string>();

  constructor(effects: OpenEffects) {
    this.#effects = effects;
  }

  get open(): OpenDecision[] {
    const open: OpenDecision[] = [];
    for (const [id, { src, input }] of this.#effects.entries()) if (src === 'person') open.push({ id, path: input.path, agent: input.agent, call: input.call, uncertain: input.uncertain === true });
    return open;
  }

  get kept(): KeptDecisions {
    return { early: [...this.#early], taken: [...this.#taken] };
  }

  recall({ early, taken }: KeptDecisions): void {
    for (const [id, decision] of early) this.#early.set(id, decision);
    for (const id of taken) this.#taken.add(id);
  }

  /** What would become of a decision now: taken or kept, too late, or about no call of this run. */
  standing(id: string, { runId, isOver, entries }: { runId: string; isOver: boolean; entries: readonly JournalEntry[] }): 'open' | 'stale' | 'unknown' {
    if (this.announced(id)) return isOver || this.#taken.has(id) ? 'stale' : 'open';
    if (isOver && id.startsWith(`${runId}/`)) return 'stale';
    return entries.some((entry) => 'id' in entry && isOfCall(entry.id, id)) ? 'stale' : 'unknown';
  }

  /** Calls about which nobody asks any more. */
  forget(): void {
    for (const id of this.#taken) if (!this.announced(id)) this.#taken.delete(id);
  }

  /** The effect that waits for the decision, or one of the same call that comes before it. */
  announced(id: string): OpenEffect | undefined {
    return this.#effects.get(id) ?? [...this.#effects.entries()].find(([effectId]) => isOfCall(effectId, id))?.[1];
  }

  /** From an entry: kept until its call waits. */
  keep(id: string, decision: Decision, fingerprint: string | undefined): void {
    this.#early.set(id, { decision, fingerprint });
  }

  /** Decisions whose call waits now. One binds to the very call it was shown; for any other it is stale. */
  *due(): Generator<{ id: string; decision: Decision }> {
    for (const [id, { decision, fingerprint }] of this.#early) {
      const effect = this.#effects.get(id);
      if (effect?.src !== 'person') continue;
      this.#early.delete(id);
      if (fingerprint !== undefined && fingerprint !== fingerprintOf(effect.input.call)) continue;
      this.#taken.add(id);
      yield { id, decision };
    }
  }
}

/** Both ids are of effects of one call, or of what is nested in it. */
const isOfCall = (effectId: string, id: string): boolean => effectId.startsWith(id.slice(0, id.lastIndexOf('/') + 1) || ' ');
