/**
 * Schemas of what messages and tool results are made of. Every object of the protocol is loose: a key that this version does
 * not know is kept, because what is parsed here is stored, replayed and sent back to a provider that may need it.
 */
import { z } from 'zod';
import type * as wire from './item.ts';

export type SharedBase = wire.SharedBase;
export const SharedBase = z.looseObject({
  providerData: z.record(z.string(), z.any()).optional(),
}) satisfies z.ZodType<wire.SharedBase>;

export type ItemBase = wire.ItemBase;
export const ItemBase = SharedBase.extend({ id: z.string().optional() }) satisfies z.ZodType<wire.ItemBase>;

export type PromptCacheBreakpoint = wire.PromptCacheBreakpoint;
export const PromptCacheBreakpoint = z.looseObject({ mode: z.literal('explicit') }) satisfies z.ZodType<wire.PromptCacheBreakpoint>;

const promptCacheBreakpoint = PromptCacheBreakpoint.optional();
const fileId = z.looseObject({ id: z.string() });

export type Refusal = wire.Refusal;
export const Refusal = SharedBase.extend({ type: z.literal('refusal'), refusal: z.string() }) satisfies z.ZodType<wire.Refusal>;

export type OutputText = wire.OutputText;
export const OutputText = SharedBase.extend({ type: z.literal('output_text'), text: z.string() }) satisfies z.ZodType<wire.OutputText>;

export type InputText = wire.InputText;
export const InputText = SharedBase.extend({
  type: z.literal('input_text'),
  text: z.string(),
  promptCacheBreakpoint,
}) satisfies z.ZodType<wire.InputText>;

export type ReasoningText = wire.ReasoningText;
export const ReasoningText = SharedBase.extend({
  type: z.literal('reasoning_text'),
  text: z.string(),
}) satisfies z.ZodType<wire.ReasoningText>;

export type InputImage = wire.InputImage;
export const InputImage = SharedBase.extend({
  type: z.literal('input_image'),
  image: z.union([z.string(), fileId]).optional(),
  detail: z.string().optional(),
  promptCacheBreakpoint,
}) satisfies z.ZodType<wire.InputImage>;

export type InputFile = wire.InputFile;
export const InputFile = SharedBase.extend({
  type: z.literal('input_file'),
  file: z.union([z.string(), fileId, z.looseObject({ url: z.string() })]).optional(),
  filename: z.string().optional(),
  promptCacheBreakpoint,
}) satisfies z.ZodType<wire.InputFile>;

export type AudioContent = wire.AudioContent;
export const AudioContent = SharedBase.extend({
  type: z.literal('audio'),
  audio: z.union([z.string(), fileId]),
  format: z.string().nullable().optional(),
  transcript: z.string().nullable().optional(),
  promptCacheBreakpoint,
}) satisfies z.ZodType<wire.AudioContent>;

export type ImageContent = wire.ImageContent;
export const ImageContent = SharedBase.extend({ type: z.literal('image'), image: z.string() }) satisfies z.ZodType<wire.ImageContent>;

/** Raw bytes are for values in memory; JSON carries base64 text. */
const textOrBytes = z.union([z.string(), z.instanceof(Uint8Array)]);

export type ToolOutputText = wire.ToolOutputText;
export const ToolOutputText = SharedBase.extend({ type: z.literal('text'), text: z.string() }) satisfies z.ZodType<wire.ToolOutputText>;

export type ToolOutputImage = wire.ToolOutputImage;
export const ToolOutputImage = SharedBase.extend({
  type: z.literal('image'),
  image: z
    .union([
      z.string(),
      z.looseObject({ data: textOrBytes, mediaType: z.string().optional() }),
      z.looseObject({ url: z.string() }),
      z.looseObject({ fileId: z.string() }),
    ])
    .optional(),
  detail: z.string().optional(),
}) satisfies z.ZodType<wire.ToolOutputImage>;

export type ToolOutputFileContent = wire.ToolOutputFileContent;
export const ToolOutputFileContent = SharedBase.extend({
  type: z.literal('file'),
  file: z.union([
    z.string(),
    z.looseObject({ data: textOrBytes, mediaType: z.string(), filename: z.string() }),
    z.looseObject({ url: z.string(), filename: z.string().optional() }),
    z.looseObject({ id: z.string(), filename: z.string().optional() }),
  ]),
}) satisfies z.ZodType<wire.ToolOutputFileContent>;

export type ComputerToolOutput = wire.ComputerCallResultItem['output'];
export const ComputerToolOutput = SharedBase.extend({
  type: z.literal('computer_screenshot'),
  data: z.string(),
}) satisfies z.ZodType<wire.ComputerCallResultItem['output']>;

export type UserContent = wire.UserContent;
export const UserContent = z.discriminatedUnion('type', [
  InputText, InputImage, InputFile, AudioContent,
]) satisfies z.ZodType<wire.UserContent>;

export type AssistantContent = wire.AssistantContent;
export const AssistantContent = z.discriminatedUnion('type', [
  OutputText, Refusal, AudioContent, ImageContent,
]) satisfies z.ZodType<wire.AssistantContent>;

export type ToolCallOutputContent = wire.ToolCallOutputContent;
export const ToolCallOutputContent = z.discriminatedUnion('type', [
  ToolOutputText, ToolOutputImage, ToolOutputFileContent,
]) satisfies z.ZodType<wire.ToolCallOutputContent>;

export type ToolCallStructuredOutput = wire.ToolCallStructuredOutput;
export const ToolCallStructuredOutput = z.discriminatedUnion('type', [
  InputText, InputImage, InputFile,
]) satisfies z.ZodType<wire.ToolCallStructuredOutput>;
