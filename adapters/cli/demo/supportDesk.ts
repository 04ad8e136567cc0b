/** The agents of the demo: two of them, three tools, an approval, handoffs both ways and a guardrail. They work with any model. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { Agent } from '../../../actors/agent.ts';
import type { InputGuardrail } from '../../../actors/guardrail.ts';
import { tool } from '../../../actors/tool.ts';
import { ORDERS } from './orders.ts';

export const DEMO_HINTS = [
  'Where is my order 1001?               two tools at once',
  'I want a refund for order 1001        a handoff, then your approval',
  'My card is 4111 1111 1111 1111        a guardrail',
  'Take stock of the shop                slow: type "and order 1002?"',
] as const;

/** For a person who can type while it works. */
export const TERMINAL_HINTS = ['While it works, what you type steers it; /queue TEXT is for later, /stop and Ctrl-C end it, /help tells more.'] as const;

const SHELVES = 8;

/** @param options.paceMs how long a tool takes, so that a person can watch; 0 for programs. */
export function makeSupportDesk({ paceMs }: { paceMs: number }): Agent<any, any> {
  const refunded = new Set<string>();
  const order = z.string().describe('The number of the order, four digits.');

  const lookUpOrder = tool({
    name: 'look_up_order',
    description: 'Finds an order by its number.',
    parameters: z.object({ order }),
    effect: 'pure',
    execute: async (input, _context, details) => {
      await setTimeout(paceMs * 2, undefined, { signal: details?.signal });
      const found = ORDERS[input.order];
      return found ? `Order ${input.order}, ${found.item} for ${found.amount.toFixed(2)} EUR, ${found.status}.` : `There is no order ${input.order}.`;
    },
  });
  const checkPolicy = tool({
    name: 'check_policy',
    description: 'Reads the rules of the shop on a topic.',
    parameters: z.object({ topic: z.enum(['delivery', 'refunds']) }),
    effect: 'pure',
    execute: async ({ topic }, _context, details) => {
      await setTimeout(paceMs, undefined, { signal: details?.signal });
      return topic === 'delivery' ? 'Late parcels are refunded after five working days.' : 'Refunds above 20 EUR need the approval of a person.';
    },
  });
  const takeStock = tool({
    name: 'take_stock',
    description: 'Counts what is on the shelves.',
    parameters: z.object({}),
    effect: 'pure',
    execute: async (_input, _context, details) => {
      for (let shelf = 1; shelf <= SHELVES; shelf += 1) {
        details?.progress?.(`shelf ${shelf} of ${SHELVES}`);
        await setTimeout(paceMs * 2, undefined, { signal: details?.signal });
      }
      return 'On the shelves are 12 teapots, 30 shirts and a cat that nobody has ordered.';
    },
  });
  const issueRefund = tool({
    name: 'issue_refund',
    description: 'Pays the price of an order back.',
    parameters: z.object({ order, amount: z.number().positive().describe('In EUR.') }),
    needsApproval: true,
    execute: async (input, _context, details) => {
      await setTimeout(paceMs, undefined, { signal: details?.signal });
      if (!ORDERS[input.order]) return `There is no order ${input.order}.`;
      if (refunded.has(input.order)) return `Order ${input.order} has been refunded before.`;
      refunded.add(input.order);
      return `Refunded ${input.amount.toFixed(2)} EUR for order ${input.order}.`;
    },
  });

  const triage = new Agent({
    name: 'Triage',
    handoffDescription: 'Answers questions about orders and deliveries.',
    instructions: 'You are the support desk of a small shop. Look orders up, and check the policy beside it, before you answer. Leave refunds to Billing. Be brief.',
    tools: [lookUpOrder, checkPolicy, takeStock],
    inputGuardrails: [noSecrets],
  });
  const billing = new Agent({
    name: 'Billing',
    handoffDescription: 'Issues refunds.',
    instructions: 'You issue refunds for a small shop. Leave questions about deliveries to Triage. Be brief.',
    tools: [issueRefund],
    inputGuardrails: [noSecrets],
    handoffs: [triage],
  });
  triage.handoffs = [billing];
  return triage;
}

/** Before the model, not beside it: what is secret shall not leave the machine at all. */
const noSecrets: InputGuardrail = {
  name: 'no secrets',
  runInParallel: false,
  execute: async ({ input }) => {
    const last = typeof input === 'string' ? input : JSON.stringify(input.at(-1));
    const hasCard = (last.match(/\d(?:[ -]?\d){12,18}/g) ?? []).some((digits) => isCardNumber(digits.replace(/\D/g, '')));
    const tripwireTriggered = hasCard || /\b(?:sk-\w{8,}|my (?:password|pin) is)\b/i.test(last);
    return { tripwireTriggered, outputInfo: tripwireTriggered ? 'the message holds a card number or a secret' : null };
  },
};

/** The checksum that card numbers carry (Luhn), so that a tracking number does not look like one. */
function isCardNumber(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
