import { UserError } from '../../../actors/errors.ts';
import type {
  AssistantContent, FunctionCallResultItem, InputFile, InputImage, ToolCallOutputContent, ToolCallStructuredOutput, UserContent, UserMessageItem,
} from '../../../machines/protocol/item.ts';
import { fileLocation, imageLocation } from '../content.ts';
import { defined, extrasOf, type JsonRecord } from '../record.ts';

/** A single text goes as plain text, which every server takes. */
export function toUserContent(content: UserMessageItem['content']): string | JsonRecord[] {
  if (typeof content === 'string') return content;
  const parts = content.map(toUserPart);
  const [only] = parts;
  return parts.length === 1 && only && isPlainText(only) ? only.text : parts;
}

/** The text of an answer as plain text; only a refusal or extras of the provider need parts. */
export function toAssistantContent(content: AssistantContent[]): JsonRecord {
  const parts = content.filter((part) => part.type === 'output_text' || part.type === 'refusal').map(toAssistantPart);
  const audio = content.find((part) => part.type === 'audio')?.providerData?.id;
  const spoken = typeof audio === 'string' ? { audio: { id: audio } } : {};
  if (content.some((part) => part.type === 'image')) {
    throw new UserError('An assistant message holds an image, which Chat Completions cannot read. Put it into a user message, or remove the part.');
  }
  if (parts.length === 0) return { content: null, ...spoken };
  return { content: parts.every(isPlainText) ? parts.map((part) => part.text).join('') : parts, ...spoken };
}

/** Tool results are text here; what is not is named, so that the model knows that there was something. */
export function toToolText(output: FunctionCallResultItem['output']): string {
  if (typeof output === 'string') return output;
  return (Array.isArray(output) ? output : [output]).map(toText).join('');
}

function toText(part: ToolCallOutputContent | ToolCallStructuredOutput): string {
  switch (part.type) {
    case 'text':
    case 'input_text':
      return part.text;
    case 'image':
    case 'input_image':
      return '[image omitted: this model reads tool results as text]';
    case 'file':
    case 'input_file':
      return '[file omitted: this model reads tool results as text]';
    default:
      throw new UserError(`A tool output of type "${(part satisfies never as JsonRecord).type}" cannot be sent through Chat Completions.`);
  }
}

function toUserPart(part: UserContent): JsonRecord {
  const extras = { ...extrasOf(part.providerData), ...defined({ prompt_cache_breakpoint: part.promptCacheBreakpoint }) };
  switch (part.type) {
    case 'input_text':
      return { ...extras, type: 'text', text: part.text };
    case 'input_image':
      return { ...extras, ...toImage(part) };
    case 'input_file':
      return { ...extras, ...toFile(part) };
    case 'audio':
      if (typeof part.audio !== 'string' || (part.format !== 'wav' && part.format !== 'mp3')) {
        throw new UserError('Audio input for Chat Completions must be base64, with format "wav" or "mp3".');
      }
      return { ...extras, type: 'input_audio', input_audio: { data: part.audio, format: part.format } };
    default:
      throw new UserError(`Input of type "${(part satisfies never as JsonRecord).type}" cannot be sent through Chat Completions.`);
  }
}

function toImage({ image, detail }: InputImage): JsonRecord {
  const { url } = imageLocation(image);
  if (url === undefined) throw new UserError('Chat Completions takes images by URL only (a data: URL will do), not by file id. Use a Responses model for uploaded files.');
  return { type: 'image_url', image_url: defined({ url, detail }) };
}

function toFile({ file, filename }: InputFile): JsonRecord {
  const { inline, fileId, filename: ownName } = fileLocation(file);
  if (inline === undefined && fileId === undefined) {
    throw new UserError('Chat Completions takes files as a data: URL or by file id, not by address. Use a Responses model, or read the file first.');
  }
  return { type: 'file', file: defined({ file_data: inline, file_id: fileId, filename: filename ?? ownName }) };
}

function toAssistantPart(part: Extract<AssistantContent, { type: 'output_text' | 'refusal' }>): JsonRecord {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.refusal };
  return { type: 'text', text: part.text };
}

function isPlainText(part: JsonRecord): part is { type: 'text'; text: string } {
  return part.type === 'text' && Object.keys(part).length === 2;
}
