import { Agent, resume, run, tool } from 'loopchart';
import { SqliteJournal } from 'loopchart/sqlite';
import { z } from 'zod';

const journal = new SqliteJournal('runs.db'); // or FileJournal, PostgresJournal; each entry is on the disk before it takes effect
const parcel = tool({
  name: 'parcel',
  description: 'Where a parcel is.',
  effect: 'pure', // may run again after a crash
  parameters: z.object({ id: z.string() }),
  execute: ({ id }) => `${id} is in Lisbon.`,
});
const agent = new Agent({ name: 'Support', tools: [parcel] });

// What an earlier process left unfinished, killed or not, goes on from its last recorded effect.
for (const { runId, state } of journal.list()) {
  if (state !== 'running') continue;
  const { finalOutput } = await resume(runId, { journal, agents: agent });
  console.log(`Resumed: ${finalOutput}`);
}

const { finalOutput } = await run(agent, 'Where is parcel A1?', { journal });
console.log(finalOutput);
journal.close();
