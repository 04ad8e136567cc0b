/**
 * The loop that everybody writes first: ask, run the tools side by side, append, ask again. It has checked arguments, a turn
 * limit and a sum of tokens, and nothing else; it is the yardstick of the bench.
 */
import type { z } from 'zod';
import type { Model, ModelRequest, ModelResponse, SerializedTool } from '../../actors/ports.ts';
import type { AgentInputItem, FunctionCallItem, FunctionCallResultItem } from '../../machines/protocol/item.ts';

export interface LoopTool {
  name: string;
  description: string;
  parameters: z.ZodType;
  body: (input: never) => unknown; // Each tool takes what its own schema gives.
  serialized: SerializedTool;
}
export interface LoopOptions {
  model: Model;
  tools: readonly LoopTool[];
  input: string;
  instructions?: string;
  maxTurns: number;
  /** Streams when given; gets each text delta. */
  onDelta?: (delta: string) => void;
  /** Goes on from a conversation that was kept: with the answers to its last calls, if they have none. */
  messages?: readonly AgentInputItem[];
  /** Gets the items of each turn when they are complete. */
  onTurn?: (items: readonly AgentInputItem[]) => void;
}
export interface LoopResult { output: string; messages: AgentInputItem[]; usage: { inputTokens: number; outputTokens: number; totalTokens: number } }

export async function loop({ model, tools, input, instructions, maxTurns, onDelta, messages: kept, onTurn }: LoopOptions): Promise<LoopResult> {
  const toolsByName = new Map(tools.map((tool) => [tool.name, tool]));
  const messages: AgentInputItem[] = kept?.slice() ?? [{ type: 'message', role: 'user', content: input }];
  const usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  const request: ModelRequest = {
    systemInstructions: instructions,
    input: messages,
    modelSettings: {},
    tools: tools.map(({ serialized }) => serialized),
    outputType: 'text',
    handoffs: [],
    tracing: false,
  };
  const open = callsOf(messages.slice(-1));
  messages.push(...await Promise.all(open.map((call) => answer(call, toolsByName))));
  for (let turn = 0; turn < maxTurns; turn += 1) {
    const response = onDelta ? await streamed(model, request, onDelta) : await model.getResponse(request);
    usage.inputTokens += response.usage.inputTokens;
    usage.outputTokens += response.usage.outputTokens;
    usage.totalTokens += response.usage.totalTokens;
    messages.push(...response.output);
    const results = await Promise.all(callsOf(response.output).map((call) => answer(call, toolsByName)));
    messages.push(...results);
    onTurn?.([...response.output, ...results]);
    if (results.length === 0) return { output: textOf(response.output), messages, usage };
  }
  throw new Error(`The loop used its ${maxTurns} turns without an answer.`);
}

const callsOf = (items: readonly AgentInputItem[]) => items.filter((item) => item.type === 'function_call');

type Answer = Pick<ModelResponse, 'output'> & { usage: { inputTokens: number; outputTokens: number; totalTokens: number } };

async function streamed(model: Model, request: ModelRequest, onDelta: (delta: string) => void): Promise<Answer> {
  for await (const event of model.getStreamedResponse(request)) {
    if (event.type === 'output_text_delta') onDelta(event.delta);
    if (event.type === 'response_done') return event.response;
  }
  throw new Error('The stream ended without its response.');
}

async function answer(call: FunctionCallItem, tools: Map<string, LoopTool>): Promise<FunctionCallResultItem> {
  const text = await outcome(call, tools.get(call.name));
  return { type: 'function_call_result', name: call.name, callId: call.callId, status: 'completed', output: { type: 'text', text } };
}

/** Whatever goes wrong becomes text: the model is told and may try again. */
async function outcome(call: FunctionCallItem, tool: LoopTool | undefined): Promise<string> {
  if (!tool) return `There is no tool named ${call.name}.`;
  try {
    const checked = tool.parameters.safeParse(JSON.parse(call.arguments));
    if (!checked.success) return `The arguments do not fit: ${checked.error.message}`;
    return String(await tool.body(checked.data as never)); // The schema has just said that it fits.
  } catch (error) {
    return `The tool failed: ${String(error)}`;
  }
}

function textOf(output: AgentInputItem[]): string {
  let text = '';
  for (const item of output) {
    if (!('role' in item) || item.role !== 'assistant') continue;
    for (const part of item.content) if (part.type === 'output_text') text += part.text;
  }
  return text;
}
