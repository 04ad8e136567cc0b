import { Agent, AgentsError, run, tool } from 'loopchart';
import { z } from 'zod';

const read = tool({
  name: 'read',
  description: 'Reads a page.',
  parameters: z.object({ page: z.number() }),
  execute: ({ page }) => `The text of page ${page}.`,
});
const agent = new Agent({ name: 'Reader', tools: [read] });

// Soft: the turn in progress finishes, its tools included, and the run settles as stopped.
const enough = new AbortController();
const stopped = await run(agent, 'Summarize the book.', {
  stopSignal: enough.signal,
  onEvent: (event) => { if (event.type === 'tool.started') enough.abort(); },
});
console.log(stopped.finalOutput, stopped.newItems.length);
console.log((await run(agent, stopped.state)).finalOutput); // goes on; nothing is read or paid for again

// Hard: model and tools are aborted now. What is there so far is in the state, well formed, and can be gone on from.
const now = new AbortController();
const interrupted = run(agent, 'Summarize the sequel.', {
  signal: now.signal,
  onEvent: (event) => { if (event.type === 'tool.started') now.abort(); },
});
await interrupted.catch(async (error: unknown) => {
  if (!(error instanceof AgentsError) || error.name !== 'AbortError') throw error;
  console.log((await run(agent, error.state!)).finalOutput);
});
