/** Schemas of messages, special items and the unions of all items. Loose, as all of the protocol: see `contentSchemas.ts`. */
import { z } from 'zod';
import {
  ApplyPatchCallItem, ApplyPatchCallResultItem, ComputerCallResultItem, ComputerUseCallItem, FunctionCallItem, FunctionCallResultItem,
  HostedToolCallItem, ProgramCallItem, ProgramCallResultItem, ShellCallItem, ShellCallResultItem, ToolSearchCallItem, ToolSearchOutputItem,
} from './callSchemas.ts';
import { AssistantContent, InputText, ItemBase, ReasoningText, SharedBase, UserContent } from './contentSchemas.ts';
import type * as wire from './item.ts';

const MessageBase = ItemBase.extend({ type: z.literal('message').optional() });

export type UserMessageItem = wire.UserMessageItem;
export const UserMessageItem = MessageBase.extend({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(UserContent)]),
}) satisfies z.ZodType<wire.UserMessageItem>;

export type SystemMessageItem = wire.SystemMessageItem;
export const SystemMessageItem = MessageBase.extend({
  role: z.literal('system'),
  content: z.string(),
}) satisfies z.ZodType<wire.SystemMessageItem>;

export type AssistantMessageItem = wire.AssistantMessageItem;
export const AssistantMessageItem = MessageBase.extend({
  role: z.literal('assistant'),
  status: z.enum(['in_progress', 'completed', 'incomplete']),
  content: z.array(AssistantContent),
  phase: z.enum(['commentary', 'final_answer']).optional(),
}) satisfies z.ZodType<wire.AssistantMessageItem>;

export type MessageItem = wire.MessageItem;
export const MessageItem = z.discriminatedUnion('role', [
  SystemMessageItem, AssistantMessageItem, UserMessageItem,
]) satisfies z.ZodType<wire.MessageItem>;

export type ReasoningItem = wire.ReasoningItem;
export const ReasoningItem = SharedBase.extend({
  id: z.string().optional(),
  type: z.literal('reasoning'),
  content: z.array(InputText),
  rawContent: z.array(ReasoningText).optional(),
}) satisfies z.ZodType<wire.ReasoningItem>;

export type CompactionItem = wire.CompactionItem;
export const CompactionItem = ItemBase.extend({
  type: z.literal('compaction'),
  encrypted_content: z.string(),
  created_by: z.string().optional(),
}) satisfies z.ZodType<wire.CompactionItem>;

/** What a provider sent and this version cannot name; all of it is in `providerData`. */
export type UnknownItem = wire.UnknownItem;
export const UnknownItem = ItemBase.extend({ type: z.literal('unknown') }) satisfies z.ZodType<wire.UnknownItem>;

const TypedOutputItem = z.discriminatedUnion('type', [
  ToolSearchCallItem, ToolSearchOutputItem, HostedToolCallItem, ProgramCallItem, ProgramCallResultItem, FunctionCallItem, ComputerUseCallItem,
  ShellCallItem, ApplyPatchCallItem, FunctionCallResultItem, ShellCallResultItem, ApplyPatchCallResultItem, ReasoningItem, CompactionItem, UnknownItem,
]);

/** What a model may answer with. */
export type OutputModelItem = wire.AgentOutputItem;
export const OutputModelItem = z.discriminatedUnion('type', [
  AssistantMessageItem, ...TypedOutputItem.options,
]) satisfies z.ZodType<wire.AgentOutputItem>;

/**
 * Any item. Messages are told apart by their role and the rest by their type, so that an item is checked against one schema
 * and an error speaks of that one.
 */
export type ModelItem = wire.AgentInputItem;
export const ModelItem = z.union([
  z.discriminatedUnion('type', [...TypedOutputItem.options, ComputerCallResultItem]),
  MessageItem,
]) satisfies z.ZodType<wire.AgentInputItem>;
