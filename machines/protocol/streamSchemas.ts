/** Schemas of usage and of what a model streams. Loose, as all of the protocol: see `contentSchemas.ts`. */
import { z } from 'zod';
import { SharedBase } from './contentSchemas.ts';
import type * as wire from './item.ts';
import { OutputModelItem } from './itemSchemas.ts';

const counts = z.record(z.string(), z.number());
const tokens = { inputTokens: z.number(), outputTokens: z.number(), totalTokens: z.number() };

export type RequestUsageData = wire.RequestUsageData;
export const RequestUsageData = z.looseObject({
  ...tokens,
  inputTokensDetails: counts.optional(),
  outputTokensDetails: counts.optional(),
  endpoint: z.string().optional(),
}) satisfies z.ZodType<wire.RequestUsageData>;

export type UsageData = wire.UsageData;
export const UsageData = z.looseObject({
  requests: z.number().optional(),
  ...tokens,
  inputTokensDetails: z.union([counts, z.array(counts)]).optional(),
  outputTokensDetails: z.union([counts, z.array(counts)]).optional(),
  requestUsageEntries: z.array(RequestUsageData).optional(),
}) satisfies z.ZodType<wire.UsageData>;

export type StreamEventTextStream = wire.StreamEventTextStream;
export const StreamEventTextStream = SharedBase.extend({
  type: z.literal('output_text_delta'),
  itemId: z.string().optional(),
  delta: z.string(),
}) satisfies z.ZodType<wire.StreamEventTextStream>;

export type StreamEventResponseStarted = wire.StreamEventResponseStarted;
export const StreamEventResponseStarted = SharedBase.extend({
  type: z.literal('response_started'),
}) satisfies z.ZodType<wire.StreamEventResponseStarted>;

export type StreamEventResponseCompleted = wire.StreamEventResponseCompleted;
export const StreamEventResponseCompleted = SharedBase.extend({
  type: z.literal('response_done'),
  response: SharedBase.extend({
    id: z.string(),
    requestId: z.string().optional(),
    usage: UsageData,
    rawUsage: z.record(z.string(), z.unknown()).optional(),
    output: z.array(OutputModelItem),
  }),
}) satisfies z.ZodType<wire.StreamEventResponseCompleted>;

export type StreamEventGenericItem = wire.StreamEventGenericItem;
export const StreamEventGenericItem = SharedBase.extend({
  type: z.literal('model'),
  event: z.any(),
}) satisfies z.ZodType<wire.StreamEventGenericItem>;

export type StreamEvent = wire.StreamEvent;
export const StreamEvent = z.discriminatedUnion('type', [
  StreamEventTextStream, StreamEventResponseCompleted, StreamEventResponseStarted, StreamEventGenericItem,
]) satisfies z.ZodType<wire.StreamEvent>;
