import { Agent, RunState, run, tool } from 'loopchart';
import { z } from 'zod';

const refund = tool({
  name: 'refund',
  description: 'Pays an order back.',
  parameters: z.object({ order: z.number(), amount: z.number() }),
  needsApproval: async (_context, { amount }) => amount > 50,
  execute: ({ order, amount }) => `Refunded ${amount} for order ${order}.`,
});
const agent = new Agent({ name: 'Support', instructions: 'Help with orders.', tools: [refund] });

const waiting = await run(agent, 'My order 7 arrived broken, please refund the 120.');
for (const call of waiting.interruptions) console.log(`May I? ${call.name} ${call.arguments}`);

const saved = waiting.state.toString(); // JSON: answer tomorrow, in another process

const state = await RunState.fromString(agent, saved);
const [call] = state.getInterruptions();
state.approve(call!, { arguments: { order: 7, amount: 100 } }); // or as asked, or state.reject(call, { message })
const { finalOutput } = await run(agent, state);
console.log(finalOutput);
