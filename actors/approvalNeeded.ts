/** A body that finds out on its way that a person has to agree first (D9). */
import { UserError } from './errors.ts';

/** What a body throws that has done nothing yet; made by {@link approvalNeeded}. */
export class ApprovalNeeded extends Error {
  static { Object.defineProperty(this.prototype, 'name', { value: 'ApprovalNeeded', configurable: true, writable: true }); }
  /** Why, for the person who decides. */
  readonly reason: string;

  constructor(reason: string) {
    super(`Approval is needed: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Thrown by the body of a function tool, it makes the call wait for a person. By throwing it the body says that it has done nothing:
 * approved, it runs again, from its beginning and as a new execution, with `details.approval`; rejected, the model reads so. It may
 * ask again. Each such request is decided by itself: neither *always* nor an approval policy answers it.
 *
 * @throws UserError without a reason: nobody can decide about nothing.
 * @example
 * ```ts
 * import { approvalNeeded, tool } from 'loopchart';
 * import { z } from 'zod';
 *
 * const prices: Record<string, number> = { pen: 2, car: 20_000 };
 * const order = tool({
 *   name: 'order',
 *   description: 'Orders an article.',
 *   parameters: z.object({ article: z.string() }),
 *   execute: async ({ article }, _runContext, details) => {
 *     const price = prices[article] ?? 0;
 *     if (price > 100 && !details?.approval) throw approvalNeeded(`${article} costs ${price}`);
 *     return `ordered ${article}`;
 *   },
 * });
 * ```
 */
export function approvalNeeded(reason: string): ApprovalNeeded {
  if (typeof reason !== 'string' || reason.trim() === '') throw new UserError('approvalNeeded() needs a reason: the person who decides reads it.');
  return new ApprovalNeeded(reason);
}
