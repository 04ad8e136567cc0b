import type { ModelRequest, SerializedFunctionTool } from '../../../../actors/ports.ts';

export function request(more: Partial<ModelRequest> = {}): ModelRequest {
  return { input: 'hi', modelSettings: {}, tools: [], handoffs: [], outputType: 'text', tracing: false, ...more };
}

export const NO_ARGUMENTS = { type: 'object', properties: {}, required: [], additionalProperties: false };

export function functionTool(more: Partial<SerializedFunctionTool> = {}): SerializedFunctionTool {
  return { type: 'function', name: 'look', description: 'Looks.', parameters: NO_ARGUMENTS, strict: true, ...more };
}
