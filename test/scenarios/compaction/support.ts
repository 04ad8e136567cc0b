/** Words that the scenarios about compaction share. */
import type { CompactionOptions } from 'loopchart';

/** Tokens that a response says it has cost, its own among them. */
export const used = (totalTokens: number, outputTokens = 5) => ({ usage: { inputTokens: totalTokens - outputTokens, outputTokens } });
export const window = (contextWindow: number, more: CompactionOptions = {}) => ({ compaction: { contextWindow, ...more } });
export const SUMMARY = 'They looked.';

/** As the model reads a summary. */
export const summary = (text: string) => `To save room, the conversation up to here was summed up by a model that had read it. Build on the work that is done already, and do not repeat it. The summary:\n\n${text}`;
