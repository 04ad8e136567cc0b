import { Agent, tool } from 'loopchart';
import { SqliteJournal } from 'loopchart/sqlite';
import { createThread, openThread } from 'loopchart/thread';
import { z } from 'zod';

const book = tool({
  name: 'book',
  description: 'Books a train.',
  parameters: z.object({ to: z.string(), day: z.string() }),
  needsApproval: true,
  execute: ({ to, day }) => `Booked: ${to}, ${day}.`,
});
const agent = new Agent({ name: 'Travel', tools: [book] });
const journal = new SqliteJournal('threads.db');

const thread = createThread(agent, { journal });
const trip = thread.run('I have to be in Porto on Friday.'); // begins at once; await it for its result, or iterate it for its events
const { status } = await thread.steer('The early train, please.'); // joins at the next safe point
thread.queue.add('And a hotel near the station?'); // becomes a run of its own when this one has completed
console.log(status);

for await (const event of trip) if (event.type === 'approval.requested') break; // leaving stops nothing
await thread.release(); // a kill would do as well: what was accepted is in the journal

const again = await openThread(thread.id, { journal, agents: agent });
for (const call of again.interruptions) await again.approve(call, { always: true }); // a rule from now on: again.look.rules
console.log((await again.activeRun!).finalOutput); // the trip
console.log((await again.activeRun!).finalOutput); // the hotel: the queue has gone on
await again.release();
journal.close();
