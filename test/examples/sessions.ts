import { Agent, MemorySession, run } from 'loopchart';

const agent = new Agent({ name: 'Assistant', instructions: 'Be brief.' });
const session = new MemorySession(); // any object with the five methods of `Session` will do

await run(agent, 'My name is Ada.', { session });
const { finalOutput } = await run(agent, 'What is my name?', { session });
console.log(finalOutput, `(${(await session.getItems()).length} items kept)`);
