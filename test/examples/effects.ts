import { Agent, MemoryJournal, run, stateFromJournal, tool } from 'loopchart';
import { z } from 'zod';

const paid = new Map<string, string>(); // stands for a payment provider that knows idempotency keys

const pay = tool({
  name: 'pay',
  description: 'Pays an invoice.',
  effect: 'reconcilable', // after a crash in its middle, `check` is asked what became of it
  parameters: z.object({ invoice: z.string(), amount: z.number() }),
  execute: ({ invoice, amount }, _context, details) => {
    paid.set(details!.idempotencyKey!, `Paid ${amount} for ${invoice}.`);
    return paid.get(details!.idempotencyKey!)!;
  },
  check: (key) => (paid.has(key) ? { happened: true, result: paid.get(key)! } : { happened: false }),
});
const letter = tool({
  name: 'letter', // declares nothing, so it counts as `irreversible`: after a crash in its middle a person is asked
  description: 'Sends a letter.',
  parameters: z.object({ to: z.string() }),
  execute: ({ to }) => `Sent to ${to}.`,
});
const agent = new Agent({ name: 'Clerk', tools: [pay, letter] });
const journal = new MemoryJournal();
const { state } = await run(agent, 'Pay invoice 7 and tell Ada.', { journal });

// In any process: what waits for a person, among it calls of which nobody knows whether they had their effect.
const waiting = await stateFromJournal(state.runId, { journal, agents: agent });
for (const call of waiting.getInterruptions()) {
  if (call.uncertain) waiting.useResult(call, 'Sent; the post office has it.'); // or approve: run it again; or reject: it failed
  else waiting.approve(call);
}
console.log((await run(agent, waiting)).finalOutput);
