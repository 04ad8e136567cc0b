import { Agent, approvalNeeded, questionTool, run, tool } from 'loopchart';
import { z } from 'zod';

const seat = questionTool({
  name: 'choose_seat',
  description: 'Lets the passenger choose a seat.',
  parameters: z.object({ free: z.array(z.string()) }),
  questions: ({ free }) => [{ id: 'seat', text: 'Which seat?', options: free }, { id: 'bags', text: 'How many bags?', schema: z.number().int() }],
  expiresAfterMs: 3_600_000, // nobody there? the model reads so
});
const pay = tool({
  name: 'pay',
  description: 'Pays.',
  parameters: z.object({ sum: z.number() }),
  execute: ({ sum }, _context, details) => {
    if (sum > 100 && !details?.approval) throw approvalNeeded(`${sum} is a lot`); // it has done nothing yet; approved, it runs again
    return `paid ${sum}`;
  },
});
const agent = new Agent({ name: 'Check-in', tools: [seat, pay] });
const approvalPolicy = { rules: [{ tool: 'pay', arguments: { sum: 0 }, decision: 'deny', reason: 'That is no payment.' }] } as const;

const { state, interruptions } = await run(agent, 'I want to fly.', { approvalPolicy });
for (const item of interruptions) {
  if (item.questions) state.answer(item, { seat: '12A', bags: 1 }); // or state.reject(item)
  else if (item.reason) state.approve(item, { reason: 'It is in the budget.' });
}
console.log((await run(agent, state, { approvalPolicy })).finalOutput);
