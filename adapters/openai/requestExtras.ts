/**
 * `modelSettings.providerData` is the door to everything a provider offers and our settings do not name. Most of it goes into
 * the body as it is; three names steer the HTTP request instead.
 */
import type { ModelRequest } from '../../actors/ports.ts';
import { isRecord, type JsonRecord } from './record.ts';

/** One HTTP request, without its address. */
export interface ProviderRequest {
  body: JsonRecord;
  headers?: Record<string, string>;
  query?: JsonRecord;
}

/** What the client is told beside the body. */
export interface RequestOptions {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  query?: JsonRecord;
  maxRetries?: number;
}

/** The request that `providerData` asks for by itself; the caller builds on it. */
export function requestExtras(providerData: unknown): ProviderRequest {
  if (!isRecord(providerData)) return { body: {} };
  const { extra_headers, extraHeaders, extra_query, extraQuery, extra_body, extraBody, ...body } = providerData;
  const headers = { ...recordOf(extraHeaders), ...recordOf(extra_headers) } as Record<string, string>; // Header values are strings by contract; the client rejects others.
  const query = { ...recordOf(extraQuery), ...recordOf(extra_query) };
  return {
    body: { ...body, ...recordOf(extraBody), ...recordOf(extra_body) },
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(Object.keys(query).length > 0 && { query }),
  };
}

/** When the loop retries, the client must not: the two would multiply. */
export function requestOptions(request: ModelRequest, sent: ProviderRequest): RequestOptions {
  const loopRetries = (request.modelSettings.retry?.maxRetries ?? 0) > 0;
  return {
    ...(request.signal && { signal: request.signal }),
    ...(sent.headers && { headers: sent.headers }),
    ...(sent.query && { query: sent.query }),
    ...(loopRetries && { maxRetries: 0 }),
  };
}

function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}
