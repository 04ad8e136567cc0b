/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import {
  Agent, type AutoResumeEvent, type AutoResumeOptions, type FromJournal, type Journal, type JournalClaim, JournalConflict, JournalDamage, JournalDivergence, MemoryJournal,
  type ResumeOptions, RunContext, type RunEvent, type RunResult, type RunState, type RunSummary, type RunToolApprovalItem, Runner, type StreamedRunResult, resume, run, stateFromJournal, tool,
} from 'loopchart';
import { z } from 'zod';

declare const journal: Journal;
declare const agent: Agent<{ user: string }>;
declare const plain: Agent;
declare const item: RunToolApprovalItem;
declare const event: RunEvent;

// -- the port ---------------------------------------------------------------------------------------------------------
const memory: Journal = new MemoryJournal();
new MemoryJournal().open('run_1') satisfies JournalClaim;
const claim = await memory.open('run_1');
await memory.append('run_1', { epoch: claim.epoch, position: claim.length }, []);
// @ts-expect-error The position is not optional: by it one writer is told from another.
await memory.append('run_1', { epoch: claim.epoch }, []);
const [summary] = await memory.list({ threadId: 'thread_1' });
summary satisfies RunSummary | undefined;
if (summary?.state === 'running') summary.runId.toUpperCase();
// @ts-expect-error There is no such state.
if (summary?.state === 'dead') summary.runId;
for await (const entry of memory.tail('run_1', 0, new AbortController().signal)) if (entry.type === 'run.rest') entry.state.toUpperCase();

// -- what goes wrong --------------------------------------------------------------------------------------------------
new JournalConflict('run_1', 'why').runId.toUpperCase();
new JournalDamage('run_1', 3, 'why').position.toFixed();
new JournalDivergence('run_1', 3, 'why').position.toFixed();
// @ts-expect-error Where it is damaged is part of it.
new JournalDamage('run_1', 'why');

// -- resume and stateFromJournal --------------------------------------------------------------------------------------
(await resume('run_1', { journal, agents: plain })) satisfies RunResult<undefined, Agent<any, any>>;
(await resume('run_1', { journal, agents: [agent], context: { user: 'Ada' } })).runContext.context.user.toUpperCase();
(await resume('run_1', { journal, agents: plain, stream: true })) satisfies StreamedRunResult<undefined, Agent<any, any>>;
await resume('run_1', { journal, agents: plain, runner: new Runner(), maxTurns: null, signal: AbortSignal.timeout(1), autoResume: { maxAttempts: 2 } });
// @ts-expect-error A run is recorded somewhere.
await resume('run_1', { agents: plain });
// @ts-expect-error Agents are not kept in journals.
await resume('run_1', { journal });
// @ts-expect-error The run has its id.
await resume('run_1', { journal, agents: plain, runId: 'run_2' });
(await stateFromJournal('run_1', { journal, agents: agent, context: new RunContext({ user: 'Ada' }) })) satisfies RunState<{ user: string }, Agent<any, any>>;
// @ts-expect-error Looking takes no options of a run.
await stateFromJournal('run_1', { journal, agents: agent, maxTurns: 3 });
const home: FromJournal<undefined> = { journal, agents: [] };
const options: ResumeOptions<undefined> = { ...home, threadId: undefined } as ResumeOptions<undefined>;
void options;

// -- calls of which nobody knows --------------------------------------------------------------------------------------
const state = await stateFromJournal('run_1', { journal, agents: plain });
if (item.uncertain) state.useResult(item, { paid: 7 });
state.useResult(item, undefined);
// @ts-expect-error A result is given for a call.
state.useResult({ paid: 7 });
// @ts-expect-error What is uncertain is not decided by whoever has the item.
item.uncertain = true;
if (event.type === 'tool.late') event.output satisfies unknown;
if (event.type === 'approval.requested' && event.uncertain) event.call.name.toUpperCase();
tool({
  name: 'pay', description: 'Pays.', parameters: z.object({}), effect: 'reconcilable',
  check: async (key) => (key.length > 0 ? { happened: true, result: 'paid' } : { happened: 'unknown' }),
  execute: (_input, _context, details) => details?.idempotencyKey?.toUpperCase() ?? '',
});
// @ts-expect-error A check says whether it happened.
tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), effect: 'reconcilable', check: () => 'paid', execute: () => '' });
// @ts-expect-error There is no such class.
tool({ name: 'pay', description: 'Pays.', parameters: z.object({}), effect: 'harmless', execute: () => '' });

// -- autoResume -------------------------------------------------------------------------------------------------------
const autoResume: AutoResumeOptions = {
  maxAttempts: 3,
  backoff: { initialDelayMs: 100, jitter: false },
  retryIf: (error, { attempt, state: failed }) => error instanceof Error && attempt < failed.history.length,
  onEvent: (told: AutoResumeEvent) => told.delayMs.toFixed(),
};
await run(plain, 'go', { autoResume, journal, runId: 'run_1', threadId: 'thread_1' });
await run(plain, 'go', { stream: true, autoResume });
// @ts-expect-error How often is not left open.
await run(plain, 'go', { autoResume: {} });
