import { Agent, BudgetExceededError, run } from 'loopchart';

const agent = new Agent({ name: 'Writer' });
let isProofread = false;

const { finalOutput } = await run(agent, 'Write the announcement.', {
  budget: { tokens: 500_000, wallTimeMs: 600_000, toolCalls: 200 }, // with every agent that it uses as a tool
  compaction: { contextWindow: 128_000 }, // sums the conversation up before it no longer fits
  stuckDetection: true, // tells an agent once that it goes in circles, then ends the run
  finalTurn: true, // one turn more, without tools, when maxTurns is reached
  stopHooks: [{ name: 'proofread', execute: () => (isProofread ? undefined : ((isProofread = true), { objection: 'Read it once more: is the date right?' })) }],
});
console.log(finalOutput);

try {
  await run(agent, 'And now translate it.', { budget: { tokens: 100 } });
} catch (error) {
  if (!(error instanceof BudgetExceededError)) throw error;
  console.log(error.message); // error.state goes on with a larger budget
}
