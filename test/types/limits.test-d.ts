/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { compactionItem, compose, fromLastCompaction, isOwnCompaction, readable } from 'loopchart/machines';
import { Agent, type AgentInputItem, AgentsError, type Budget, BudgetExceededError, CompactionError, type CompactionOptions, ContextWindowError, type ModelError, type ModelPrice, type PlainEffects, plainLeaves, type RunEvent, Runner, resume, run, MemoryJournal } from 'loopchart';

declare const agent: Agent;
declare const event: RunEvent;

// -- budgets ----------------------------------------------------------------------------------------------------------
const price: ModelPrice = { inputPerMillion: 1, outputPerMillion: 10 };
const budget: Budget = { tokens: 1_000_000, costUsd: 2, wallTimeMs: 60_000, toolCalls: 100, softRatio: 0.5, hardDeadline: true, prices: { small: price } };
await run(agent, 'go', { budget });
new Runner({ budget });
await resume('run_1', { journal: new MemoryJournal(), agents: agent, budget });
// @ts-expect-error A price has both directions.
await run(agent, 'go', { budget: { prices: { small: { inputPerMillion: 1 } } } });
// @ts-expect-error There is no such limit.
await run(agent, 'go', { budget: { turns: 3 } });

const exceeded = new BudgetExceededError({ kind: 'cost', limit: 2, spent: 1.9 });
exceeded satisfies AgentsError;
exceeded.kind satisfies 'tokens' | 'cost' | 'time';
// @ts-expect-error What was spent is not changed by whoever catches it.
exceeded.spent = 0;

// -- compaction -------------------------------------------------------------------------------------------------------
const compaction: CompactionOptions = { contextWindow: 128_000, threshold: 0.8, keepUserTokens: 10_000, keep: async (items) => items.slice(-2), prompt: 'Sum up.', instructions: 'You sum up.', model: 'small', modelSettings: { temperature: 0 } };
await run(agent, 'go', { compaction });
new Runner({ compaction: {} });
// @ts-expect-error What stays is a list of items.
await run(agent, 'go', { compaction: { keep: () => 'nothing' } });

new ContextWindowError('too long') satisfies ModelError;
new CompactionError('no summary', { cause: new Error('down') }) satisfies AgentsError;

if (event.type === 'compaction.started') event.size.toFixed();
if (event.type === 'compaction.completed') [event.before, event.after, event.dropped] satisfies number[];

// -- in the charts ----------------------------------------------------------------------------------------------------
const item = compactionItem('so far', [{ role: 'user', content: 'go' }]);
readable([item]) satisfies AgentInputItem[];
fromLastCompaction([item]) satisfies AgentInputItem[];
const compactor: NonNullable<PlainEffects['compactor']> = async ({ items }) => ({ status: 'ok', at: 0, value: { item: compactionItem(String(items.length), []), dropped: 0, usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 } } });
compose(plainLeaves({ compactor }));
if (isOwnCompaction(item)) item.encrypted_content.toUpperCase();
// @ts-expect-error A summary is a text.
compactionItem(7, []);
