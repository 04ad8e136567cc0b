/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { Agent, MemoryJournal, MemorySession } from 'loopchart';
import { type BackgroundWork, type CompactReceipt, type Compaction, type OpenThreadOptions, type Thread, type ThreadLook, type ThreadOptions, createThread, openThread } from 'loopchart/thread';

declare const agent: Agent;
declare const thread: Thread;

// -- options of threads are those of runs, without what is of one run --------------------------------------------------
createThread(agent, { maxTurns: null, finalTurn: true, stuckDetection: false, maxToolOutputBytes: 1_000, oneCallPerTurn: true, toolStart: 'eager', steerMode: 'instant' });
createThread(agent, { budget: { tokens: 1_000, wallTimeMs: 60_000, hardDeadline: true }, compaction: { contextWindow: 128_000 }, autoPreviousResponseId: true });
createThread(agent, { errorHandlers: { maxTurns: ({ runData }) => ({ finalOutput: `${runData.newItems.length} items` }) }, bufferUntilGuarded: true, keepPartial: false, interruptNotice: false, graceMs: 10 });
createThread(agent, { stopHooks: [{ name: 'done', execute: () => undefined }], journal: new MemoryJournal(), checkpointEvery: 1 });
// @ts-expect-error A thread keeps its history itself.
createThread(agent, { session: new MemorySession() });
// @ts-expect-error A signal is for one run.
createThread(agent, { signal: new AbortController().signal });
// @ts-expect-error Runs are stopped one by one.
createThread(agent, { stopSignal: new AbortController().signal });
// @ts-expect-error A thread names its runs itself.
createThread(agent, { runId: 'run_1' });
// @ts-expect-error The next run goes on with one that failed.
createThread(agent, { autoResume: { maxAttempts: 3 } });
// @ts-expect-error The conversation is in the thread.
createThread(agent, { conversationId: 'conv_1' });
// @ts-expect-error There is no such way to begin a call.
createThread(agent, { toolStart: 'soon' });
({ journal: new MemoryJournal(), agents: [agent] }) satisfies OpenThreadOptions;
// @ts-expect-error What is recorded is opened from a journal.
await openThread('thread_1', { agents: agent });
// @ts-expect-error What was there before is recorded.
await openThread('thread_1', { journal: new MemoryJournal(), agents: agent, history: [] });
({ context: { user: 'Ada' } }) satisfies ThreadOptions<{ user: string }>;

// -- compaction -------------------------------------------------------------------------------------------------------
const receipt: CompactReceipt = await thread.compact();
if (receipt.status === 'accepted') {
  const compaction: Compaction = await receipt.compaction;
  if (compaction.status === 'completed') [compaction.before, compaction.after, compaction.dropped] satisfies number[];
  if (compaction.status === 'failed') compaction.error satisfies Error;
  // @ts-expect-error Only one that failed has an error.
  compaction.error;
}
// @ts-expect-error One that was not accepted never ends.
receipt.compaction;

// -- agents in the background -----------------------------------------------------------------------------------------
agent.asTool({ toolName: 'ask', background: true, customOutputExtractor: ({ finalOutput }) => `${finalOutput}` });
// @ts-expect-error It works in the background, or it does not.
agent.asTool({ background: 'later' });
const look: ThreadLook = thread.look;
for (const { path, agent: name, from } of look.background satisfies readonly BackgroundWork[]) {
  await thread.steer(`${name} asks for ${from}.`, { path });
  await thread.interrupt({ path });
}
// @ts-expect-error What there is to see cannot be changed there.
look.background.push({ path: 'thread_1/background.1', agent: 'Helper', from: 'ask' });
