/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { z } from 'zod';
import { Agent } from '../../actors/agent.ts';
import { getHandoff, getTransferMessage, handoff, type Handoff, type HandoffInputFilter } from '../../actors/handoff.ts';
import { nestHandoffHistory } from '../../actors/handoffHistory.ts';

const refunds = new Agent({ name: 'Refunds', outputType: z.object({ refunded: z.boolean() }) });
const reason = z.object({ reason: z.string() });

const typed: Handoff<unknown, typeof refunds.outputType> = handoff(refunds, { inputType: reason, onHandoff: (_context, input) => void input?.reason.toUpperCase() });
handoff(refunds, { inputFilter: (data) => nestHandoffHistory(data), nestHandoffHistory: true, isEnabled: ({ agent }) => agent.name === 'A' });
const same: Handoff<unknown, typeof refunds.outputType> = getHandoff(typed);
const message: string = getTransferMessage(refunds);
const later: HandoffInputFilter = async (data) => ({ ...data, newItems: [] });
typed.clone({ toolName: 'go', agent: refunds, inputFilter: later });
new Agent({ name: 'A', handoffs: [new Agent({ name: 'B' }), handoff(new Agent({ name: 'C' }))] });

// @ts-expect-error The input has no such field.
handoff(refunds, { inputType: reason, onHandoff: (_context, input) => void input?.amount });
// @ts-expect-error The input may be missing.
handoff(refunds, { inputType: reason, onHandoff: (_context, input) => void input.reason });
// @ts-expect-error A filter returns what it was given, shaped.
handoff(refunds, { inputFilter: (data) => data.newItems });
// @ts-expect-error An option that does not exist.
handoff(refunds, { toolName: 'go' });
// @ts-expect-error A handoff goes to an agent.
handoff('Refunds');
// @ts-expect-error A clone goes to an agent too.
typed.clone({ agent: 'B' });

export { message, same };
