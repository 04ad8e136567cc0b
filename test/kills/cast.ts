/** The agents of a world: of runs a first one with tools of every class, a second one it hands off to, and one that is a tool; of threads one that has helpers. */
import type { JsonObjectSchemaStrict } from '../../actors/schemaTypes.ts';
import { Agent, type ToolCallDetails, questionTool, retryPolicies, tool } from '../../index.ts';
import { chanceOf, digestOf } from './chance.ts';
import type { Effect } from './ledger.ts';
import { plannedModel } from './model.ts';
import type { ToolName, WorldPlan } from './plan.ts';
import type { World } from './world.ts';

const TOOLS: Record<ToolName, { effect: Effect; needsApproval: boolean }> = {
  look: { effect: 'pure', needsApproval: false },
  put: { effect: 'idempotent', needsApproval: false },
  pay: { effect: 'reconcilable', needsApproval: false },
  send: { effect: 'irreversible', needsApproval: false },
  sign: { effect: 'irreversible', needsApproval: true },
  stamp: { effect: 'idempotent', needsApproval: true },
};
export const asksPerson = (name: string): boolean => TOOLS[name as ToolName]?.needsApproval ?? false;

const parameters: JsonObjectSchemaStrict<any> = { type: 'object', properties: { seen: { type: 'string' } }, required: ['seen'], additionalProperties: false };

export function castOf(plan: WorldPlan, world: World): { first: Agent; all: Agent[]; host: Agent } {
  const model = plannedModel(plan, world);
  const retry = { maxRetries: 9, policy: retryPolicies.networkError(), backoff: { initialDelayMs: 2, maxDelayMs: 8, jitter: false }, afterOutput: true };
  const tools = (Object.keys(TOOLS) as ToolName[]).map((name) => plannedTool(name, plan, world)); // the keys just above
  const agent = (name: string, more: object = {}) => new Agent({ name, instructions: name, model, modelSettings: { retry }, tools, ...more });
  const second = agent('Second');
  const inner = agent('Inner');
  const first = agent('First', { tools: [...tools, inner.asTool({ toolName: 'ask', toolDescription: 'Asks.' })], handoffs: [second] });
  const helper = agent('Helper');
  const host = agent('Host', { tools: [...tools, choose, inner.asTool({ toolName: 'ask', toolDescription: 'Asks.' }), helper.asTool({ toolName: 'task', toolDescription: 'Has it done.', background: true })] });
  return { first, all: [first, second], host };
}

/** What a person chooses is known beforehand, so that it can be looked for. */
export const chosen = (callId: string): string => `chosen for ${callId}`;

const choose = questionTool({ name: 'choose', description: 'Asks the person.', parameters, questions: () => [{ id: 'choice', text: 'Which?' }] });

function plannedTool(name: ToolName, plan: WorldPlan, world: World) {
  const { effect, needsApproval } = TOOLS[name];
  const more = effect === 'reconcilable' ? { check: (key: string) => lookUp(key, plan, world) } : {};
  const execute = (input: unknown, _: unknown, details?: ToolCallDetails) => carryOut(name, effect, (input as { seen: string }).seen, details!, world);
  // The most careful class is what a tool has that declares none.
  return tool({ name, description: name, parameters, needsApproval, execute, ...(effect === 'irreversible' ? {} : { effect }), ...more });
}

async function carryOut(tool: string, effect: Effect, seen: string, details: ToolCallDetails, world: World): Promise<string> {
  const { idempotencyKey: key, effectId, callId } = details as Required<ToolCallDetails>; // a run gives them all
  const body = { run: effectId.split('/')[0]!, tool, effect, key, effectId, callId };
  await world.ledger.note({ what: 'begins', ...body });
  const text = `${tool} ${callId} ${digestOf(seen)}`;
  world.act({ key, callId, text });
  await world.ledger.note({ what: 'ends', ...body });
  return text;
}

/** Now and then nobody can tell. */
async function lookUp(key: string, { seed }: WorldPlan, world: World) {
  const found = world.deeds().find((deed) => deed.key === key);
  const isUnclear = chanceOf('check', seed, key)() < 0.15;
  await world.ledger.note({ what: 'checks', key, happened: isUnclear ? 'unknown' : found !== undefined });
  if (isUnclear) return { happened: 'unknown' as const };
  return found ? { happened: true as const, result: found.text } : { happened: false as const };
}
