import { Agent, run, tool } from 'loopchart';
import { z } from 'zod';

const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `It is sunny in ${city}.`,
});
const agent = new Agent({ name: 'Assistant', instructions: 'Answer in one sentence.', tools: [weather] });

const { finalOutput } = await run(agent, 'Do I need an umbrella in Lisbon?');
console.log(finalOutput);
