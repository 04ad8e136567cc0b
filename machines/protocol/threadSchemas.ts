/** What a thread may be told, as it may be read from outside. */
import * as z from 'zod';
import { WHEN_BUSY } from './thread.ts';

const Item = z.looseObject({});
const PendingInput = z.looseObject({ id: z.string(), item: Item });
const Overrides = z.looseObject({
  agent: z.string().optional(),
  model: z.string().optional(),
  instructions: z.string().optional(),
  tools: z.array(z.string()).optional(),
  maxTurns: z.number().int().min(0).nullable().optional(),
  finalTurn: z.boolean().optional(),
});
const QueueEntry = z.object({ id: z.string().min(1), input: z.array(Item), overrides: Overrides.optional() });
const Mail = z.object({ id: z.string().min(1), from: z.string(), content: z.string(), triggerTurn: z.boolean() });
const Point = z.object({ runId: z.string().nullable(), turn: z.number().int().min(1).optional() });
const Rule = z.looseObject({ id: z.string().min(1), decision: z.enum(['allow', 'ask', 'deny']) });
const partials = z.record(z.string(), z.string()).optional();
const told = { id: z.string().min(1), expectedRunId: z.string().optional(), at: z.number() };

export const ThreadCommandSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('thread.run'), ...told, input: z.array(Item), whenBusy: z.enum(WHEN_BUSY), overrides: Overrides.optional(), partials }),
  z.object({ type: z.literal('thread.steer'), ...told, input: z.array(PendingInput).min(1), path: z.string().optional(), mode: z.literal('instant').optional(), cut: z.record(z.string(), z.array(Item)).optional() }),
  z.object({ type: z.literal('thread.interrupt'), ...told, partials, notice: z.boolean().optional(), path: z.string().optional(), reason: z.literal('deadline').optional() }),
  z.object({ type: z.literal('thread.softStop'), ...told }),
  z.object({ type: z.literal('thread.compact'), ...told }),
  z.object({ type: z.literal('thread.mail'), ...told, mail: Mail }),
  z.object({ type: z.literal('thread.inject'), ...told, items: z.array(Item).min(1) }),
  z.object({ type: z.literal('thread.revert'), ...told, to: Point, history: z.array(Item).optional(), agent: z.string().optional(), partials }),
  z.object({ type: z.literal('thread.goal'), ...told, goal: z.object({ message: z.string(), maxRuns: z.number().int().min(1) }).nullable() }),
  z.object({ type: z.literal('thread.close'), ...told, partials }),
  z.object({ type: z.literal('queue.add'), ...told, entry: QueueEntry }),
  z.object({ type: z.literal('queue.edit'), ...told, entry: QueueEntry.partial({ input: true }) }),
  z.object({ type: z.literal('queue.move'), ...told, entryId: z.string(), to: z.number().int().min(0) }),
  z.object({ type: z.literal('queue.remove'), ...told, entryId: z.string() }),
  z.object({ type: z.literal('queue.resume'), ...told }),
  z.object({ type: z.literal('rule.add'), ...told, rule: Rule }),
  z.object({ type: z.literal('rule.remove'), ...told, ruleId: z.string() }),
  z.object({ type: z.literal('background.start'), ...told, agent: z.string(), tool: z.string(), delegate: z.string(), input: z.array(Item), from: z.string(), params: z.unknown().optional(), extracts: z.literal(true).optional() }),
]);
