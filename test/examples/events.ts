import { Agent, run, tool } from 'loopchart';
import { z } from 'zod';

const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => String(a + b) });
const agent = new Agent({ name: 'Calculator', tools: [add] });

await run(agent, 'What is 1 + 2?', {
  onEvent: (event) => {
    if (event.type === 'turn.settled') console.log(event.number, event.type, `${event.next} because ${event.guard}`);
    else if (event.type !== 'delta') console.log(event.number, event.type);
  },
});
