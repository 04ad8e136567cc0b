/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import type { Agent } from '../../actors/agent.ts';
import { GuardrailExecutionError, ModelTimeoutError, OutputGuardrailTripwireTriggered, ToolCallError, UserError } from '../../actors/errors.ts';
import type { RunStreamEvent } from '../../actors/events.ts';
import { defineInputGuardrail, defineOutputGuardrail, type OutputGuardrailMetadata } from '../../actors/guardrail.ts';
import { RunInputItem, RunToolCallOutputItem, type ItemOrigin, type RunItem } from '../../actors/items.ts';
import { MemorySession } from '../../actors/memorySession.ts';
import { assistant, system, user } from '../../actors/message.ts';
import type { RetryPolicy, Session } from '../../actors/ports.ts';
import { backoffDelay, retryPolicies } from '../../actors/retryPolicies.ts';
import { RunContext } from '../../actors/runContext.ts';
import {
  defineToolInputGuardrail,
  defineToolOutputGuardrail,
  resolveToolInputGuardrails,
  ToolGuardrailFunctionOutputFactory as verdict,
} from '../../actors/toolGuardrail.ts';
import { Usage } from '../../actors/usage.ts';

declare const agent: Agent<any, any>;
declare const item: RunItem;
declare const event: RunStreamEvent;

// -- items and events: `type` tells them apart ------------------------------------------------------------------------
if (item.type === 'tool_call_output_item') item.rawItem satisfies RunToolCallOutputItem['rawItem'];
if (item.type === 'handoff_output_item') item.targetAgent.name.toUpperCase();
if (item.type === 'tool_approval_item') item.path.join('/');
// @ts-expect-error Not every item has an agent of its own: a handoff has two.
item.agent;
const origin: ItemOrigin = item.origin;
new RunInputItem(user('x'), agent, 'i1', { runtime: 'budget' });
// @ts-expect-error There is no such origin.
new RunInputItem(user('x'), agent, 'i1', 'robot');
if (event.type === 'run_item_stream_event' && event.name === 'tool_output') event.item.rawItem;
// @ts-expect-error There is no such event.
if (event.type === 'run_started') event;

// -- context and usage ------------------------------------------------------------------------------------------------
const context = new RunContext({ userId: 'u' });
context.context.userId.toUpperCase();
// @ts-expect-error The context has no such field.
context.context.name;
context.isToolApproved({ toolName: 't', callId: 'c' }) satisfies boolean | undefined;
// @ts-expect-error A decision is about a call.
context.isToolApproved({ toolName: 't' });
const derived: RunContext<{ userId: string }> = context.forCall({ approval: { reason: 'costs money' } });
new Usage({ input_tokens: 1, requestUsageEntries: [{ output_tokens: 2 }] }).requestUsageEntries?.[0]?.endpoint?.toUpperCase();
// @ts-expect-error A count is a number.
new Usage({ inputTokens: '1' });

// -- guardrails -------------------------------------------------------------------------------------------------------
defineInputGuardrail({ name: 'g', execute: async ({ input }) => ({ tripwireTriggered: input.length > 9, outputInfo: null }) });
defineOutputGuardrail({ name: 'g', execute: async ({ agentOutput }) => ({ tripwireTriggered: agentOutput.includes('x'), outputInfo: null }) });
// @ts-expect-error A verdict is needed.
defineInputGuardrail({ name: 'g', execute: async () => ({ outputInfo: null }) });
defineToolInputGuardrail<{ userId: string }>({ name: 'g', run: async ({ context: given }) => verdict.allow(given.context.userId) });
defineToolOutputGuardrail({ name: 'g', run: async ({ output }) => (output === 1 ? verdict.allow() : verdict.rejectContent('no')) });
// @ts-expect-error There is no output before the body ran.
defineToolInputGuardrail({ name: 'g', run: async ({ output }) => verdict.allow(output) });
// @ts-expect-error A rejection needs a message.
verdict.rejectContent();
resolveToolInputGuardrails([{ name: 'g', run: async () => verdict.allow() }])[0]?.type satisfies 'tool_input' | undefined;

// -- errors -----------------------------------------------------------------------------------------------------------
declare const caught: unknown;
if (caught instanceof ToolCallError || caught instanceof GuardrailExecutionError) caught.error.message.toUpperCase();
if (caught instanceof ModelTimeoutError) caught.code satisfies 'ETIMEDOUT';
if (caught instanceof OutputGuardrailTripwireTriggered) (caught as OutputGuardrailTripwireTriggered<OutputGuardrailMetadata>).result.agentOutput.toUpperCase();
// @ts-expect-error The code does not change.
new ModelTimeoutError({ timeoutMs: 1 }).code = 'other';
new UserError('m').state?.toString();

// -- the rest ---------------------------------------------------------------------------------------------------------
const session: Session = new MemorySession({ initialItems: [user('a'), assistant('b'), system('c')] });
// @ts-expect-error A system message is text.
system([{ type: 'input_text', text: 'x' }]);
const policy: RetryPolicy = retryPolicies.any(retryPolicies.networkError(), retryPolicies.httpStatus([429]), ({ attempt }) => attempt < 2);
// @ts-expect-error Policies are made by calling.
retryPolicies.all(retryPolicies.never);
const delay: number = backoffDelay({ attempt: 1, backoff: { jitter: false } });

export { delay, derived, origin, policy, session };
