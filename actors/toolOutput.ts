/** What a tool body returned, as the model will see it. */
import type { FunctionCallResultItem, InputFile, InputImage, InputText, ToolCallStructuredOutput } from '../machines/protocol/item.ts';
import { InvalidToolOutputError, UserError } from './errors.ts';
import { isRecord } from './jsonSchema.ts';
import type { ToolOutputCustomData, ToolOutputCustomDataExtractor } from './toolTypes.ts';

export interface ToolOutput {
  output: FunctionCallResultItem['output'];
  /** What a person sees instead, when the body said so. */
  display?: unknown;
  /** The result alone is no reason for another turn. */
  needsFollowUp?: false;
}

/** What a body may return to tell the model one thing and a person another. */
export interface ToolReply {
  model: unknown;
  display?: unknown;
  needsFollowUp?: false;
}

/**
 * Words a result for the model: text as it is, `text`, `image` and `file` structures (one, or a list of nothing else) as content,
 * everything else as JSON. `{model, display}` and `{model, needsFollowUp: false}` are taken apart first.
 *
 * @param options.isStructured The tool has an output schema: the result is always JSON.
 * @throws InvalidToolOutputError when a structured result is not JSON.
 * @example
 * toToolOutput({ celsius: 21 }); // { output: { type: 'text', text: '{"celsius":21}' } }
 * toToolOutput({ model: '21 °C', display: '<b>21 °C</b>' }); // { output: { type: 'text', text: '21 °C' }, display: '<b>21 °C</b>' }
 */
export function toToolOutput(value: unknown, options: { isStructured?: boolean; toolName?: string } = {}): ToolOutput {
  if (isToolReply(value)) {
    const { output } = toToolOutput(value.model, options);
    return { output, ...('display' in value ? { display: value.display } : {}), ...(value.needsFollowUp === false ? { needsFollowUp: false } : {}) };
  }
  if (options.isStructured) return { output: { type: 'text', text: toJson(value, options.toolName ?? 'unnamed') } };
  const content = toContent(value);
  return { output: content ?? { type: 'text', text: toText(value) } };
}

/** Any value as text that a model can read: bytes abbreviated, everything else as JSON. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  const bytes = toBytes(value);
  if (bytes) return describeBytes(bytes);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value, toReadable);
  } catch {
    return '[object with circular references]';
  }
}

/**
 * Asks a tool's extractor for the data that the app wants beside the result.
 * @throws UserError when it returns anything but a JSON object or nothing.
 */
export async function extractCustomData<TContext>(
  extractor: ToolOutputCustomDataExtractor<TContext> | undefined,
  context: TContext,
): Promise<ToolOutputCustomData | undefined> {
  const extracted = await extractor?.(context);
  if (extracted === undefined || extracted === null) return undefined;
  if (!isPlainObject(extracted) || !isJson(extracted)) throw new UserError('customDataExtractor must return a plain JSON object, null or undefined.');
  return Object.keys(extracted).length === 0 ? undefined : (JSON.parse(JSON.stringify(extracted)) as ToolOutputCustomData);
}

/** A result that merely has a field called `model` is not one: only these three keys, and one of the two that say what it is for. */
function isToolReply(value: unknown): value is ToolReply {
  if (!isPlainObject(value) || !('model' in value)) return false;
  if (!('display' in value) && value.needsFollowUp !== false) return false;
  return Object.keys(value).every((key) => key === 'model' || key === 'display' || key === 'needsFollowUp');
}

function toJson(value: unknown, toolName: string): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (error) {
    throw new InvalidToolOutputError(`The output of tool '${toolName}' must be JSON.`, undefined, error, { output: value });
  }
  throw new InvalidToolOutputError(`The output of tool '${toolName}' must be JSON, got ${typeof value}.`, undefined, undefined, { output: value });
}

function toContent(value: unknown): ToolCallStructuredOutput[] | undefined {
  const parts = Array.isArray(value) ? value : [value];
  if (parts.length === 0) return undefined;
  const content = parts.map(toContentPart);
  return content.every((part) => part !== undefined) ? content : undefined;
}

function toContentPart(part: unknown): ToolCallStructuredOutput | undefined {
  if (!isRecord(part)) return undefined;
  const extra = isRecord(part.providerData) ? { providerData: part.providerData } : {};
  switch (part.type) {
    case 'text': return typeof part.text === 'string' ? ({ type: 'input_text', text: part.text, ...extra } satisfies InputText) : undefined;
    case 'image': {
      const image = toImage(part);
      const detail = isFilled(part.detail) ? { detail: part.detail } : {};
      return image === undefined ? undefined : ({ type: 'input_image', image, ...detail, ...extra } satisfies InputImage);
    }
    case 'file': {
      const file = toFile(part);
      return file === undefined ? undefined : ({ type: 'input_file', ...file, ...extra } satisfies InputFile);
    }
    default: return undefined;
  }
}

/** The picture may stand in `image` as text or object, or, as older tools wrote it, beside it. */
function toImage(part: Record<string, unknown>): InputImage['image'] {
  if (isFilled(part.image)) return part.image;
  const nested = isRecord(part.image) ? part.image : {};
  const mediaType = mediaTypeOf(nested) ?? mediaTypeOf(part);
  if (isFilled(nested.url)) return nested.url;
  const inline = toDataUrl(nested.data, mediaType);
  if (inline !== undefined) return inline;
  if (isFilled(part.imageUrl)) return part.imageUrl;
  const outer = toDataUrl(part.data, mediaTypeOf(part));
  if (outer !== undefined) return outer;
  const id = [nested.fileId, nested.id, part.fileId].find(isFilled);
  return id === undefined ? undefined : { id };
}

function toFile(part: Record<string, unknown>): Pick<InputFile, 'file' | 'filename'> | undefined {
  if (isFilled(part.file)) return { file: part.file };
  const nested = isRecord(part.file)
    ? part.file
    : { data: part.fileData, url: part.fileUrl, id: part.fileId, mediaType: part.mediaType, filename: part.filename };
  const filename = isFilled(nested.filename) ? { filename: nested.filename } : {};
  if (nested.data !== undefined) {
    const file = isFilled(nested.mediaType) && isFilled(nested.filename) ? toDataUrl(nested.data, nested.mediaType) : undefined;
    return file === undefined ? undefined : { file, ...filename };
  }
  if (isFilled(nested.url)) return { file: { url: nested.url }, ...filename };
  const id = [nested.id, nested.fileId].find(isFilled);
  return id === undefined ? undefined : { file: { id }, ...filename };
}

function toDataUrl(content: unknown, mediaType: string | undefined): string | undefined {
  const base64 = isFilled(content) ? content : content instanceof Uint8Array && content.length > 0 ? toBase64(content) : undefined;
  if (base64 === undefined || base64.startsWith('data:') || mediaType === undefined) return base64;
  return `data:${mediaType};base64,${base64}`;
}

function mediaTypeOf(value: Record<string, unknown>): string | undefined {
  return [value.mediaType, value.mimeType].find(isFilled);
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

/** In pieces: a call takes only so many arguments. */
function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += 8192) binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(binary);
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

const SHOWN_BYTES = 20;

function describeBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return '[byte array (0 bytes)]';
  const shown = [...bytes.subarray(0, SHOWN_BYTES)].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
  return `[byte array ${shown}${bytes.length > SHOWN_BYTES ? ' …' : ''} (${bytes.length} bytes)]`;
}

function toReadable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  const bytes = toBytes(value) ?? (isBufferJson(value) ? Uint8Array.from(value.data) : undefined);
  return bytes ? describeBytes(bytes) : value;
}

/** Node's Buffer turns itself into this before a replacer sees it. */
function isBufferJson(value: unknown): value is { data: number[] } {
  return isRecord(value) && value.type === 'Buffer' && Array.isArray(value.data);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isJson(value: unknown): boolean {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isPlainObject(value) && Reflect.ownKeys(value).every((key) => typeof key === 'string' && isJson(value[key]));
}
