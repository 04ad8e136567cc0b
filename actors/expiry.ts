/** How long a person has to decide, and what is decided when nobody did (D7). */
import type { Decision } from '../machines/protocol/command.ts';
import type { LoopEvent } from '../machines/protocol/event.ts';
import { UserError } from './errors.ts';
import type { OpenEffect } from './openEffects.ts';

/** @throws UserError for what is no number of milliseconds above 0. */
export function checkExpiry(ms: unknown, owner: string): void {
  if (ms === undefined || (typeof ms === 'number' && ms > 0 && Number.isFinite(ms))) return;
  throw new UserError(`${owner} must be a number of milliseconds above 0, got ${String(ms)}.`);
}

/** When a wait is over, in ms since the epoch. What became of a body has to be said by a person, however long that takes (O3). */
export function expiryOf({ src, input, askedAt }: Pick<OpenEffect, 'src' | 'input' | 'askedAt'>): number | undefined {
  if (src !== 'person' || input.uncertain) return undefined;
  const { expiresAfterMs } = input.call.tool;
  return expiresAfterMs === undefined ? undefined : askedAt + expiresAfterMs;
}

/** A request with the time until which it waits: whoever is asked has to know, and charts cannot. @param now in ms since the epoch. */
export function timed(request: Extract<LoopEvent, { type: 'approval.requested' }>, now: number): typeof request {
  const { expiresAfterMs } = request.call.tool;
  return expiresAfterMs === undefined || request.uncertain ? request : { ...request, expiresAt: now + expiresAfterMs };
}

/** The decision when nobody made one. */
export function expired({ input }: Pick<OpenEffect, 'input'>): Decision {
  const { questions, tool } = input.call;
  const message = `Nobody ${questions ? 'answered' : 'decided'} within ${durationText(tool.expiresAfterMs)}, so the call was not carried out.`;
  return { decision: 'reject', message, expired: true };
}

const UNITS = [['h', 3_600_000], ['min', 60_000], ['s', 1_000]] as const;

/** In the largest unit that says it without a rest. */
function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => ms % one === 0) ?? (['ms', 1] as const);
  return `${ms / size} ${unit}`;
}
