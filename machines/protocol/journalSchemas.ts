/** Entries as they may be read from outside: checked, because a journal outlives the process that wrote it. */
import * as z from 'zod';
import { ERROR_KINDS } from './outcome.ts';
import { ThreadCommandSchema } from './threadSchemas.ts';

const Failure = z.looseObject({ code: z.string(), message: z.string(), effectId: z.string().optional() });
const ErrorRecord = z.looseObject({ name: z.string(), message: z.string() });
const RecordedOutcome = z.discriminatedUnion('status', [
  z.looseObject({ status: z.literal('ok') }),
  z.looseObject({ status: z.literal('error'), failure: Failure, retryInMs: z.number().optional() }),
  z.object({ status: z.literal('lost') }),
  z.object({ status: z.literal('asks'), reason: z.string() }),
]);

const PendingInput = z.looseObject({ id: z.string(), item: z.looseObject({}) });

const amount = z.number().min(0);
const Budget = z.object({
  tokens: amount.optional(),
  costUsd: amount.optional(),
  wallTimeMs: amount.optional(),
  toolCalls: amount.optional(),
  softRatio: z.number().gt(0).max(1).optional(),
  hardDeadline: z.boolean().optional(),
  prices: z.record(z.string(), z.object({ inputPerMillion: amount, outputPerMillion: amount, cachedInputPerMillion: amount.optional() })).optional(),
});

/** What a person or program may say to a run. Events of XState itself are no commands. */
export const CommandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('steer'),
    input: z.array(PendingInput).min(1),
    path: z.string().optional(),
    mode: z.literal('instant').optional(),
    cut: z.record(z.string(), z.array(z.looseObject({}))).optional(),
  }),
  z.object({ type: z.literal('mail'), input: z.array(PendingInput).min(1) }),
  z.object({ type: z.literal('softStop') }),
  z.object({ type: z.literal('compact') }),
  z.object({
    type: z.literal('interrupt'),
    reason: z.enum(['user', 'tripwire', 'replaced', 'deadline']),
    at: z.number(),
    partials: z.record(z.string(), z.string()).optional(),
    notice: z.boolean().optional(),
  }),
  z.object({
    type: z.literal('configure'),
    maxTurns: z.number().int().min(0).nullable().optional(),
    errorHandlers: z.array(z.enum(ERROR_KINDS)).optional(),
    budget: Budget.optional(),
    stopHooks: z.boolean().optional(),
    finalTurn: z.boolean().optional(),
    stuckDetection: z.object({ repetition: z.number(), failing: z.number(), monologue: z.number(), alternating: z.number() }).optional(),
  }),
]);

const CallResult = z.looseObject({ status: z.string(), item: z.looseObject({}) });

export const DecisionSchema = z.discriminatedUnion('decision', [
  z.object({
    decision: z.literal('approve'),
    arguments: z.string().optional(),
    invalid: z.string().optional(),
    always: z.boolean().optional(),
    reason: z.string().optional(),
  }),
  z.object({ decision: z.literal('reject'), message: z.string().optional(), always: z.boolean().optional(), expired: z.literal(true).optional() }),
  z.object({ decision: z.literal('useResult'), output: z.unknown(), result: CallResult.optional() }),
  z.object({ decision: z.literal('answer'), answers: z.record(z.string(), z.unknown()), result: CallResult.optional() }),
]);

const at = z.number();
const mark = z.string().optional();
const id = z.string().min(1);

/** One entry of a journal, whoever wrote it. */
export const JournalEntrySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run.start'),
    format: z.number(),
    runId: z.string(),
    threadId: z.string().optional(),
    charts: z.record(z.string(), z.string()),
    input: z.looseObject({ path: z.string(), agent: z.string() }),
    at,
    mark,
  }),
  z.object({
    type: z.literal('thread.start'),
    format: z.number(),
    threadId: z.string(),
    charts: z.record(z.string(), z.string()),
    input: z.looseObject({ path: z.string(), agent: z.string() }),
    at,
    mark,
  }),
  z.object({ type: z.literal('command'), command: z.union([CommandSchema, ThreadCommandSchema]), at, mark }),
  z.object({ type: z.literal('decide'), id, decision: DecisionSchema, fingerprint: z.string().optional(), at, mark }),
  z.object({ type: z.literal('effect.started'), id, at, mark }),
  z.object({ type: z.literal('effect.item'), id, item: z.looseObject({}), call: z.looseObject({ index: z.number(), callId: z.string() }).optional(), at, mark }),
  z.object({ type: z.literal('effect.done'), id, outcome: RecordedOutcome, at, mark }),
  z.object({ type: z.literal('effect.failed'), id, error: ErrorRecord, at, mark }),
  z.object({ type: z.literal('effect.lost'), id, at, mark }),
  z.object({ type: z.literal('effect.late'), id, outcome: RecordedOutcome, at, mark }),
  z.object({
    type: z.literal('run.rest'),
    state: z.enum(['awaitingApproval', 'interrupted', 'settled', 'idle', 'paused', 'closed']),
    status: z.enum(['completed', 'failed', 'stopped', 'interrupted']).optional(),
    mark: z.string(),
    at,
  }),
]);
