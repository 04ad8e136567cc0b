import { UserError } from '../../../actors/errors.ts';
import type {
  AssistantContent, AudioContent, InputFile, InputImage, ToolCallOutputContent, ToolCallStructuredOutput, ToolOutputFileContent, ToolOutputImage, UserContent,
} from '../../../machines/protocol/item.ts';
import { fileLocation, type FileSource, imageLocation } from '../content.ts';
import { defined, extrasOf, type JsonRecord } from '../record.ts';

/** One part of a user message, of a tool's structured output or of a prompt variable. */
export function toInputPart(part: UserContent): JsonRecord {
  const extras = { ...extrasOf(part.providerData), ...defined({ prompt_cache_breakpoint: part.promptCacheBreakpoint }) };
  switch (part.type) {
    case 'input_text':
      return { ...extras, type: 'input_text', text: part.text };
    case 'input_image':
      return { detail: 'auto', ...extras, ...toImage(part) };
    case 'input_file':
      return { ...extras, ...toFile(part.file, part.filename) };
    case 'audio':
      return { ...extras, ...toAudio(part) };
    default:
      throw new UserError(`Input of type "${(part satisfies never as JsonRecord).type}" cannot be sent through the Responses API.`);
  }
}

export function toAssistantPart(part: AssistantContent): JsonRecord {
  switch (part.type) {
    case 'output_text':
      return { annotations: [], ...extrasOf(part.providerData), type: 'output_text', text: part.text };
    case 'refusal':
      return { ...extrasOf(part.providerData), type: 'refusal', refusal: part.refusal };
    case 'audio':
      if (part.transcript) return { annotations: [], type: 'output_text', text: part.transcript };
      throw new UserError('An assistant message holds audio without a transcript, which the Responses API cannot read. Add the transcript, or remove the part.');
    case 'image':
      throw new UserError('An assistant message holds an image, which the Responses API cannot read. Put it into a user message, or remove the part.');
    default:
      throw new UserError(`Assistant content of type "${(part satisfies never as JsonRecord).type}" cannot be sent through the Responses API.`);
  }
}

/** A tool's output: plain text stays plain, everything else becomes a list of parts. */
export function toToolOutput(output: string | ToolCallOutputContent | ToolCallStructuredOutput[]): string | JsonRecord[] {
  if (typeof output === 'string') return output;
  if (Array.isArray(output)) return output.map(toToolOutputPart);
  switch (output.type) {
    case 'text':
      return output.text;
    case 'image':
      return [toImage(output)];
    case 'file':
      return [toToolFile(output)];
    default:
      throw new UserError(`A tool output of type "${(output satisfies never as JsonRecord).type}" cannot be sent through the Responses API.`);
  }
}

function toToolOutputPart(part: ToolCallStructuredOutput): JsonRecord {
  const extras = extrasOf(part.providerData);
  switch (part.type) {
    case 'input_text':
      return { ...extras, type: 'input_text', text: part.text };
    case 'input_image':
      return { ...extras, ...toImage(part) };
    case 'input_file':
      return { ...extras, ...toFile(part.file, part.filename) };
    default:
      throw new UserError(`A tool output of type "${(part satisfies never as JsonRecord).type}" cannot be sent through the Responses API.`);
  }
}

function toImage({ image, detail }: InputImage | ToolOutputImage): JsonRecord {
  const { url, fileId } = imageLocation(image);
  return defined({ type: 'input_image', image_url: url, file_id: fileId, detail });
}

function toToolFile(output: ToolOutputFileContent): JsonRecord {
  return toFile(output.file);
}

function toFile(file: FileSource | InputFile['file'], filename?: string): JsonRecord {
  const { inline, url, fileId, filename: ownName } = fileLocation(file);
  return defined({ type: 'input_file', file_data: inline, file_url: url, file_id: fileId, filename: filename ?? ownName });
}

function toAudio(part: AudioContent): JsonRecord {
  if (typeof part.audio !== 'string') {
    throw new UserError('Audio input is given by id, which the Responses API cannot read. Give the sound itself as base64.');
  }
  return { type: 'input_audio', input_audio: defined({ data: part.audio, format: part.format ?? undefined }) };
}
