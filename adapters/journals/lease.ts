/** How long a claim holds: while its owner gives signs of life, and a while after the last one. */
import { type Owner, describeOwner, isDead } from './owner.ts';

export interface LeaseOptions {
  /**
   * How long a claim holds after the last sign of life of its owner, in ms. Default 30,000. An owner that died is noticed at once on
   * its own machine; only others have to wait. A process that stands still for longer than this may find its run continued elsewhere.
   */
  leaseMs?: number;
}

export const DEFAULT_LEASE_MS = 30_000;

/** A claim as it stands in a store; `seenAt` is the last sign of life, in ms since the epoch. */
export interface KeptClaim { owner: Owner; leaseMs: number; seenAt: number }

/** A sign of life from the future is one from before the clock was set back: counted by its distance, it cannot hold for ever. */
export const isHeld = ({ owner, leaseMs, seenAt }: KeptClaim, now = Date.now()): boolean => Math.abs(now - seenAt) <= leaseMs && !isDead(owner);

/** For people: why a claim is refused. */
export function whyHeld({ owner, leaseMs, seenAt }: KeptClaim, now = Date.now()): string {
  const seconds = Math.max(1, Math.ceil((seenAt + leaseMs - now) / 1_000));
  return `${describeOwner(owner)} is at work on it, and holds it for ${seconds} s from now without another sign of life`;
}

/** Gives signs of life while something is held, and keeps no process alive. */
export class Heartbeat {
  readonly #beat: () => void;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(leaseMs: number, beat: () => void) {
    this.#everyMs = Math.max(1, leaseMs / 3); // two may be late
    this.#beat = beat;
  }

  start(): void {
    this.#timer ??= setInterval(this.#beat, this.#everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** @throws RangeError for a duration that is none. */
export function durationOf(name: string, given: number | undefined, byDefault: number): number {
  const ms = given ?? byDefault;
  if (ms > 0 && ms <= 2 ** 31 - 1) return ms; // what a timer can wait
  throw new RangeError(`${name} is ${ms}; it must be a number of milliseconds above 0 and below 25 days.`);
}
