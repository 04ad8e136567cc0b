/** Tools that the provider runs itself. They need the Responses API; the loop only passes their calls through. */
import type { OpenAI } from 'openai';
import type { HostedTool } from '../../actors/hostedTools.ts';
import type { SerializedFunctionTool } from '../../actors/ports.ts';
import { defined, type JsonRecord } from './record.ts';

export interface WebSearchTool {
  type: 'web_search';
  name?: 'web_search' | 'web_search_preview' | (string & {});
  /** Where the person is, for results that depend on it. */
  userLocation?: OpenAI.Responses.WebSearchTool.UserLocation;
  filters?: { allowedDomains?: string[] | null };
  /** How much of the context window the search may fill. */
  searchContextSize: 'low' | 'medium' | 'high';
  /** False: only what the provider has stored. */
  externalWebAccess?: boolean;
  /** `image` also asks for the raw results, in the call's `providerData.results`. */
  searchContentTypes?: ('text' | 'image')[];
  imageSettings?: { maxResults?: number; caption?: boolean };
}

export interface FileSearchTool {
  type: 'file_search';
  name?: 'file_search' | (string & {});
  vectorStoreId: string[];
  maxNumResults?: number;
  /** Also ask for what was found, in the call's `providerData.results`. */
  includeSearchResults?: boolean;
  rankingOptions?: OpenAI.Responses.FileSearchTool.RankingOptions;
  filters?: OpenAI.ComparisonFilter | OpenAI.CompoundFilter;
}

export interface CodeInterpreterTool {
  type: 'code_interpreter';
  name?: 'code_interpreter' | (string & {});
  /** Also ask for what the code printed, in the call's `providerData.outputs`. */
  includeOutputs?: boolean;
  /** A container's id, or how to make one. */
  container?: string | OpenAI.Responses.Tool.CodeInterpreter.CodeInterpreterToolAuto;
  allowedCallers?: SerializedFunctionTool['allowedCallers'];
}

export interface ImageGenerationTool {
  type: 'image_generation';
  name?: 'image_generation' | (string & {});
  action?: OpenAI.Responses.Tool.ImageGeneration['action'];
  background?: 'transparent' | 'opaque' | 'auto' | (string & {});
  inputFidelity?: 'high' | 'low' | null;
  inputImageMask?: OpenAI.Responses.Tool.ImageGeneration.InputImageMask;
  model?: 'gpt-image-1' | 'gpt-image-1-mini' | 'gpt-image-1.5' | (string & {});
  moderation?: 'auto' | 'low' | (string & {});
  /** 0 to 100. */
  outputCompression?: number;
  outputFormat?: 'png' | 'webp' | 'jpeg' | (string & {});
  /** How many unfinished images to stream. */
  partialImages?: number;
  quality?: 'low' | 'medium' | 'high' | 'auto' | (string & {});
  size?: '1024x1024' | '1024x1536' | '1536x1024' | 'auto' | (string & {});
}

/**
 * Lets the model search the web.
 *
 * @example
 * ```ts
 * import { webSearchTool } from 'loopchart/openai';
 *
 * console.log(webSearchTool({ searchContextSize: 'low' }).name); // web_search
 * ```
 */
export function webSearchTool(options: Partial<Omit<WebSearchTool, 'type'>> = {}): HostedTool {
  const { filters, imageSettings } = options;
  return hostedTool('web_search', options.name, {
    user_location: options.userLocation,
    filters: filters?.allowedDomains ? { allowed_domains: filters.allowedDomains } : undefined,
    search_context_size: options.searchContextSize ?? 'medium',
    external_web_access: options.externalWebAccess,
    search_content_types: options.searchContentTypes,
    image_settings: imageSettings && defined({ max_results: imageSettings.maxResults, caption: imageSettings.caption }),
  });
}

/** Lets the model search files in vector stores. */
export function fileSearchTool(vectorStoreIds: string | string[], options: Partial<Omit<FileSearchTool, 'type' | 'vectorStoreId'>> = {}): HostedTool {
  return hostedTool('file_search', options.name, {
    vector_store_ids: [vectorStoreIds].flat(),
    max_num_results: options.maxNumResults,
    include_search_results: options.includeSearchResults,
    ranking_options: options.rankingOptions,
    filters: options.filters,
  });
}

/** Lets the model run Python in a container of the provider. */
export function codeInterpreterTool(options: Partial<Omit<CodeInterpreterTool, 'type'>> = {}): HostedTool {
  return hostedTool('code_interpreter', options.name, {
    container: options.container ?? { type: 'auto' },
    include_outputs: options.includeOutputs,
    allowed_callers: options.allowedCallers,
  });
}

/** Lets the model make and change images. */
export function imageGenerationTool(options: Partial<Omit<ImageGenerationTool, 'type'>> = {}): HostedTool {
  return hostedTool('image_generation', options.name, {
    action: options.action,
    background: options.background,
    input_fidelity: options.inputFidelity,
    input_image_mask: options.inputImageMask,
    model: options.model,
    moderation: options.moderation,
    output_compression: options.outputCompression,
    output_format: options.outputFormat,
    partial_images: options.partialImages,
    quality: options.quality,
    size: options.size,
  });
}

function hostedTool(type: string, name: string = type, settings: JsonRecord): HostedTool {
  return { type: 'hosted_tool', name, providerData: { type, name, ...defined(settings) } };
}
