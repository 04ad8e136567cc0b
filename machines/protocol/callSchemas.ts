/** Schemas of calls and their results. Loose, as all of the protocol: see `contentSchemas.ts`. */
import { z } from 'zod';
import { ComputerToolOutput, ItemBase, ToolCallOutputContent, ToolCallStructuredOutput } from './contentSchemas.ts';
import type * as wire from './item.ts';

const progress = z.enum(['in_progress', 'completed', 'incomplete']);

export type ToolCaller = wire.ToolCaller;
export const ToolCaller = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('direct') }),
  z.looseObject({ type: z.literal('program'), callerId: z.string() }),
]) satisfies z.ZodType<wire.ToolCaller>;

const caller = ToolCaller.optional();

export type ProgramCallItem = wire.ProgramCallItem;
export const ProgramCallItem = ItemBase.extend({
  type: z.literal('program'),
  callId: z.string(),
  code: z.string(),
  fingerprint: z.string(),
}) satisfies z.ZodType<wire.ProgramCallItem>;

export type ProgramCallResultItem = wire.ProgramCallResultItem;
export const ProgramCallResultItem = ItemBase.extend({
  type: z.literal('program_output'),
  callId: z.string(),
  output: z.string(),
  status: z.enum(['completed', 'incomplete']),
}) satisfies z.ZodType<wire.ProgramCallResultItem>;

export type HostedToolCallItem = wire.HostedToolCallItem;
export const HostedToolCallItem = ItemBase.extend({
  type: z.literal('hosted_tool_call'),
  name: z.string(),
  arguments: z.string().optional(),
  status: z.string().optional(),
  output: z.string().optional(),
  caller,
}) satisfies z.ZodType<wire.HostedToolCallItem>;

export type FunctionCallItem = wire.FunctionCallItem;
export const FunctionCallItem = ItemBase.extend({
  type: z.literal('function_call'),
  callId: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
  status: progress.optional(),
  arguments: z.string(),
  caller,
}) satisfies z.ZodType<wire.FunctionCallItem>;

export type FunctionCallResultItem = wire.FunctionCallResultItem;
export const FunctionCallResultItem = ItemBase.extend({
  type: z.literal('function_call_result'),
  name: z.string(),
  namespace: z.string().optional(),
  callId: z.string(),
  status: progress,
  caller,
  output: z.union([z.string(), ToolCallOutputContent, z.array(ToolCallStructuredOutput)]),
}) satisfies z.ZodType<wire.FunctionCallResultItem>;

export type ToolReference = z.output<typeof ToolReference>;
export const ToolReference = z.looseObject({
  type: z.literal('tool_reference'),
  functionName: z.string(),
  namespace: z.string().optional(),
});

/** Arguments and tools of a tool search belong to the provider and are kept as they came. */
export const ToolSearchCallArguments = z.unknown();
export const ToolSearchOutputTool = z.record(z.string(), z.any());

const toolSearchIds = { call_id: z.string().nullable().optional(), callId: z.string().nullable().optional() };
const execution = z.enum(['client', 'server']).optional();

export type ToolSearchCallItem = wire.ToolSearchCallItem;
export const ToolSearchCallItem = ItemBase.extend({
  type: z.literal('tool_search_call'),
  ...toolSearchIds,
  execution,
  arguments: ToolSearchCallArguments,
  status: z.string().optional(),
}) satisfies z.ZodType<wire.ToolSearchCallItem>;

export type ToolSearchOutputItem = wire.ToolSearchOutputItem;
export const ToolSearchOutputItem = ItemBase.extend({
  type: z.literal('tool_search_output'),
  toolSearchAgentName: z.string().optional(),
  toolSearchMcpToolNames: z.array(z.string()).optional(),
  ...toolSearchIds,
  execution,
  status: z.string().optional(),
  tools: z.array(ToolSearchOutputTool),
}) satisfies z.ZodType<wire.ToolSearchOutputItem>;

const point = { x: z.number(), y: z.number() };
/** Modifier keys held during a mouse action. The peer's schema does not know them and lets anything stand there. */
const keys = z.array(z.string()).nullable().optional();

export type ComputerAction = wire.ComputerAction;
export const computerActions = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('screenshot') }),
  z.looseObject({ type: z.literal('click'), ...point, button: z.enum(['left', 'right', 'wheel', 'back', 'forward']), keys }),
  z.looseObject({ type: z.literal('double_click'), ...point, keys }),
  z.looseObject({ type: z.literal('scroll'), ...point, scroll_x: z.number(), scroll_y: z.number(), keys }),
  z.looseObject({ type: z.literal('type'), text: z.string() }),
  z.looseObject({ type: z.literal('wait') }),
  z.looseObject({ type: z.literal('move'), ...point, keys }),
  z.looseObject({ type: z.literal('keypress'), keys: z.array(z.string()) }),
  z.looseObject({ type: z.literal('drag'), path: z.array(z.looseObject(point)), keys }),
]) satisfies z.ZodType<wire.ComputerAction>;

export type ComputerUseCallItem = wire.ComputerUseCallItem;
export const ComputerUseCallItem = ItemBase.extend({
  type: z.literal('computer_call'),
  callId: z.string(),
  status: progress,
  action: computerActions.optional(),
  actions: z.array(computerActions).min(1).optional(),
}).refine(({ action, actions }) => action !== undefined || actions !== undefined, {
  message: 'A computer_call has an action or actions.',
  path: ['action'],
}) satisfies z.ZodType<wire.ComputerUseCallItem>;

export type ComputerCallResultItem = wire.ComputerCallResultItem;
export const ComputerCallResultItem = ItemBase.extend({
  type: z.literal('computer_call_result'),
  callId: z.string(),
  output: ComputerToolOutput,
}) satisfies z.ZodType<wire.ComputerCallResultItem>;

export type ShellAction = wire.ShellAction;
export const ShellAction = z.looseObject({
  commands: z.array(z.string()),
  timeoutMs: z.number().int().min(0).optional(),
  maxOutputLength: z.number().int().min(0).optional(),
}) satisfies z.ZodType<wire.ShellAction>;

export type ShellCallItem = wire.ShellCallItem;
export const ShellCallItem = ItemBase.extend({
  type: z.literal('shell_call'),
  callId: z.string(),
  status: progress.optional(),
  action: ShellAction,
  caller,
}) satisfies z.ZodType<wire.ShellCallItem>;

export type ShellCallOutcome = wire.ShellCallOutputContent['outcome'];
export const ShellCallOutcome = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('timeout') }),
  z.looseObject({ type: z.literal('exit'), exitCode: z.number().int().nullable() }),
]) satisfies z.ZodType<wire.ShellCallOutputContent['outcome']>;

export type ShellCallOutputContent = wire.ShellCallOutputContent;
export const ShellCallOutputContent = z.looseObject({
  stdout: z.string(),
  stderr: z.string(),
  outcome: ShellCallOutcome,
}) satisfies z.ZodType<wire.ShellCallOutputContent>;

export type ShellCallResultItem = wire.ShellCallResultItem;
export const ShellCallResultItem = ItemBase.extend({
  type: z.literal('shell_call_output'),
  callId: z.string(),
  status: progress.optional(),
  maxOutputLength: z.number().optional(),
  output: z.array(ShellCallOutputContent),
  caller,
}) satisfies z.ZodType<wire.ShellCallResultItem>;

export const ApplyPatchOperationCreateFile = z.looseObject({ type: z.literal('create_file'), path: z.string(), diff: z.string() });
export const ApplyPatchOperationUpdateFile = z.looseObject({
  type: z.literal('update_file'),
  path: z.string(),
  diff: z.string(),
  moveTo: z.string().min(1).optional(),
});
export const ApplyPatchOperationDeleteFile = z.looseObject({ type: z.literal('delete_file'), path: z.string() });

export type ApplyPatchOperation = wire.ApplyPatchOperation;
export const ApplyPatchOperation = z.discriminatedUnion('type', [
  ApplyPatchOperationCreateFile, ApplyPatchOperationUpdateFile, ApplyPatchOperationDeleteFile,
]) satisfies z.ZodType<wire.ApplyPatchOperation>;

export type ApplyPatchCallItem = wire.ApplyPatchCallItem;
export const ApplyPatchCallItem = ItemBase.extend({
  type: z.literal('apply_patch_call'),
  callId: z.string(),
  status: z.enum(['in_progress', 'completed']),
  operation: ApplyPatchOperation,
  caller,
}) satisfies z.ZodType<wire.ApplyPatchCallItem>;

export type ApplyPatchCallResultItem = wire.ApplyPatchCallResultItem;
export const ApplyPatchCallResultItem = ItemBase.extend({
  type: z.literal('apply_patch_call_output'),
  callId: z.string(),
  status: z.enum(['completed', 'failed']),
  output: z.string().optional(),
  caller,
}) satisfies z.ZodType<wire.ApplyPatchCallResultItem>;

export type ToolCallItem = wire.ToolCallItem;
export const ToolCallItem = z.discriminatedUnion('type', [
  ProgramCallItem, ComputerUseCallItem, ShellCallItem, ApplyPatchCallItem, FunctionCallItem, HostedToolCallItem,
]) satisfies z.ZodType<wire.ToolCallItem>;
