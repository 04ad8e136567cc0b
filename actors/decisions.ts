/** What people say about calls: taken where a call waits, kept where it does not wait yet, refused where it is too late (D4). */
import type { Call } from '../machines/protocol/call.ts';
import type { Decision } from '../machines/protocol/command.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { expiryOf } from './expiry.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { OpenEffect, OpenEffects } from './openEffects.ts';

/**
 * A call that waits for a person; `uncertain` when it has begun before and nobody knows whether it had its effect (O3), with `questions`
 * to be answered (D8), or with the `reason` that its body gave (D9).
 */
export interface OpenDecision { id: string; path: string; agent: string; call: Call; uncertain?: boolean; questions?: Call['questions']; reason?: string; expiresAt?: number }

/** What is known of decisions between two entries. */
export interface KeptDecisions {
  early: [id: string, early: { decision: Decision; fingerprint: string | undefined }][];
  taken: string[];
  /** Since when calls wait that do not wait for ever. */
  asked?: [id: string, askedAt: number][];
}

export class Decisions {
  readonly #effects: OpenEffects;
  readonly #early = new Map<string, { decision: Decision; fingerprint: string | undefined }>();
  readonly #taken = new Set<string>();

  constructor(effects: OpenEffects) {
    this.#effects = effects;
  }

  get open(): OpenDecision[] {
    const open: OpenDecision[] = [];
    for (const [id, effect] of this.#effects.entries()) if (effect.src === 'person') open.push(openDecisionOf(id, effect));
    return open;
  }

  /** Calls whose time is over (D7). */
  overdue(now: number): string[] {
    return this.open.flatMap(({ id, expiresAt }) => (expiresAt !== undefined && expiresAt <= now ? [id] : []));
  }

  get kept(): KeptDecisions {
    const asked = [...this.#effects.entries()].flatMap(([id, effect]): [string, number][] => (expiryOf(effect) === undefined ? [] : [[id, effect.askedAt]]));
    return { early: [...this.#early], taken: [...this.#taken], ...(asked.length > 0 && { asked }) };
  }

  recall({ early, taken, asked = [] }: KeptDecisions): void {
    for (const [id, askedAt] of asked) Object.assign(this.#effects.get(id) ?? {}, { askedAt });
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
    const open = this.#effects.get(id);
    if (open) return open;
    const before = [...this.#effects.entries()].find(([effectId]) => isOfCall(effectId, id))?.[1];
    return before && mayCome(id, before) ? before : undefined;
  }

  /** The call that will be asked about, where that is known before it waits. */
  expected(id: string): OpenDecision | undefined {
    const [effectId, effect] = [...this.#effects.entries()].find(([other]) => pathOf(other) === pathOf(id)) ?? [];
    if (effectId === undefined || !effect?.input.call) return undefined;
    const { agent, call } = effect.input;
    return { id, path: pathOf(id), agent, call, ...(call.questions && { questions: call.questions }) };
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

function openDecisionOf(id: string, effect: OpenEffect): OpenDecision {
  const { path, agent, call, uncertain, questions, reason } = effect.input;
  const expiresAt = expiryOf(effect);
  return { id, path, agent, call, uncertain: uncertain === true, ...(questions && { questions }), ...(reason !== undefined && { reason }), ...(expiresAt !== undefined && { expiresAt }) };
}

/** What is asked is known before it is: whether the call may run, and its own questions. What its body may yet ask is not (D9): one that is at work may run. */
function mayCome(id: string, { src, input: { call } }: OpenEffect): boolean {
  if (src === 'execute') return false;
  const [, wait, nth] = /\/(approval|question)#(\d+)$/.exec(id) ?? [];
  if (wait === undefined) return true;
  return nth === '1' && (wait === 'question') === (call?.questions !== undefined);
}

const pathOf = (id: string) => id.slice(0, id.lastIndexOf('/'));
/** Both ids are of effects of one call, or of what is nested in it. */
const isOfCall = (effectId: string, id: string): boolean => effectId.startsWith(id.slice(0, id.lastIndexOf('/') + 1) || ' ');
