/** Situations in which both libraries are to do the same. */
import type { Agent } from 'loopchart';
import { answered, asked, calls, fails, refuses, repeat, responds, says, thinks, user } from 'loopchart/testing';
import { z } from 'zod';
import { mcpServer } from '../support/mcpServer.ts';
import type { Library, Setup, Workbench } from './bothLoops.ts';

type AgentOptions = Partial<ConstructorParameters<Library['Agent']>[0]>;

/** One agent; most situations need no more. */
export const solo = (options: (bench: Workbench) => AgentOptions = () => ({})) => (bench: Workbench): Agent<any, any> =>
  new bench.lib.Agent({ name: 'Solo', instructions: 'Be good.', model: bench.model, ...options(bench) });

export const addTool = (lib: Library, options: { needsApproval?: boolean | (() => Promise<boolean>) } = {}) =>
  lib.tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), ...options, execute: ({ a, b }) => String(a + b) });
export const brokenTool = (lib: Library, errorFunction?: null | ((context: unknown, error: unknown) => string)) =>
  lib.tool({ name: 'broken', description: 'Throws.', parameters: z.object({}), ...(errorFunction === undefined ? {} : { errorFunction }), execute: () => { throw new Error('broken'); } });
export const askingTool = (lib: Library) => lib.tool({ name: 'refund', description: 'Pays back.', parameters: z.object({ order: z.number() }), needsApproval: true, execute: ({ order }) => `refunded ${order}` });

const nothing = async () => undefined;
/** One function, since functions in a request are only equal to themselves. */
const always = () => true;
const add12 = calls('add', { a: 1, b: 2 });
export const approveAll: Setup['decide'] = (state) => { for (const call of state.getInterruptions()) state.approve(call); };
export const guard = (name: string, tripwireTriggered: boolean) => ({ name, execute: async () => ({ tripwireTriggered, outputInfo: name }) });
const billing = ({ lib, model }: Workbench) => new lib.Agent({ name: 'Billing', instructions: 'Bill.', model });

export const cases: Record<string, Setup> = {
  'an answer': { script: [says('Hello.')], build: solo() },
  'a list of items as input': { script: [says('Hello.')], build: solo(), inputs: [[user('one'), user('two')]] },
  'instructions made of the context': { script: [says('Hello.')], build: solo(() => ({ instructions: (runContext) => `For ${String(runContext.context)}.` })), options: () => ({ context: 'Ada' as never }) },
  'a prompt of the provider': { script: [says('Hello.')], build: solo(() => ({ instructions: undefined, prompt: { promptId: 'p_1', variables: { name: 'Ada' } } })) },
  'a tool': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'tools side by side': { script: [calls(['add', { a: 1, b: 2 }], ['add', { a: 3, b: 4 }]), says('3 and 7')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'a tool in each of several turns': { script: [add12, calls('add', { a: 3, b: 4 }), says('Done.')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'text beside a call': { script: [responds(says('Wait.'), add12), says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'reasoning before a call': { script: [responds(thinks('Hm.', { id: 'rs_1' }), add12), says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'reasoning without ids': { script: [responds(thinks('Hm.', { id: 'rs_1' }), add12), says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ reasoningItemIdPolicy: 'omit' }) },
  'a hosted call beside the answer': { script: [responds({ type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call', status: 'completed' }, says('Rain.'))], build: solo() },
  'a tool that returns an object': { script: [calls('look'), says('Seen.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'look', description: 'Looks.', parameters: z.object({}), execute: () => ({ colour: 'red' }) })] })) },
  'a tool that returns a number': { script: [calls('look'), says('Seen.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'look', description: 'Looks.', parameters: z.object({}), execute: () => 7 })] })) },
  'a tool that returns nothing': { script: [calls('look'), says('Seen.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'look', description: 'Looks.', parameters: z.object({}), execute: () => undefined })] })) },
  'a tool that returns an image': { script: [calls('look'), says('Seen.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'look', description: 'Looks.', parameters: z.object({}), execute: () => ({ type: 'image', image: { url: 'http://localhost/a.png' } }) })] })) },
  'a tool that is off': { script: [says('Nothing.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'off', description: 'Off.', parameters: z.object({}), isEnabled: false, execute: () => '' })] })) },
  'a tool that throws': { script: [calls('broken'), says('Sorry.')], build: solo(({ lib }) => ({ tools: [brokenTool(lib)] })) },
  'a tool that throws and words its error': { script: [calls('broken'), says('Sorry.')], build: solo(({ lib }) => ({ tools: [brokenTool(lib, () => 'out of order')] })) },
  'a tool that throws and wants the run to fail': { script: [calls('broken')], build: solo(({ lib }) => ({ tools: [brokenTool(lib, null)] })) },
  'arguments that are no JSON': { script: [calls('add', '{"a":'), says('Sorry.')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'an unknown tool, raised': { script: [calls('nothing')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ toolNotFoundBehavior: 'raise_error' }) },
  'an unknown tool, told to the model': { script: [calls('nothing'), says('Sorry.')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ toolNotFoundBehavior: 'return_error_to_model' }) },
  'a tool that takes too long': { script: [calls('slow'), says('Sorry.')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), effect: 'pure', timeoutMs: 1, execute: () => new Promise(() => undefined) })] })) },
  'a tool that takes too long and wants the run to fail': { script: [calls('slow')], build: solo(({ lib }) => ({ tools: [lib.tool({ name: 'slow', description: 'Slow.', parameters: z.object({}), timeoutMs: 1, timeoutBehavior: 'raise_exception', execute: () => new Promise(() => undefined) })] })) },
  'a call id used again for something else': { script: [calls('add', { a: 1, b: 2 }, { callId: 'c' }), calls('add', { a: 9, b: 9 }, { callId: 'c' })], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'stop on first tool': { script: [calls(['add', { a: 1, b: 2 }], ['add', { a: 3, b: 4 }])], build: solo(({ lib }) => ({ tools: [addTool(lib)], toolUseBehavior: 'stop_on_first_tool' })) },
  'stop at a named tool': { script: [add12], build: solo(({ lib }) => ({ tools: [addTool(lib)], toolUseBehavior: { stopAtToolNames: ['add'] } })) },
  'a function that decides about tool results': { script: [add12], build: solo(({ lib }) => ({ tools: [addTool(lib)], toolUseBehavior: (_context, results) => ({ isFinalOutput: true, isInterrupted: undefined, finalOutput: `${results.length} result` }) })) },
  'a forced tool choice': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)], modelSettings: { toolChoice: 'required' } })) },
  'a forced tool choice that stays': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)], modelSettings: { toolChoice: 'required' }, resetToolChoice: false })) },
  'settings of runner and agent': { script: [says('Hello.')], build: solo(() => ({ modelSettings: { temperature: 0.2 } })), runner: ({ lib }) => new lib.Runner({ tracingDisabled: true, modelSettings: { temperature: 0.1, topP: 0.1 } }) },
  'structured output': { script: [says('{"city":"Oslo"}')], build: solo(() => ({ outputType: z.object({ city: z.string() }) as never })) },
  'structured output that does not fit': { script: [says('{"town":"Oslo"}')], build: solo(() => ({ outputType: z.object({ city: z.string() }) as never })) },
  'structured output by JSON schema': { script: [says('{"city":"Oslo"}')], build: solo(() => ({ outputType: { type: 'json_schema', name: 'answer', strict: true, schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false } } as never })) },
  'a refusal': { script: [refuses('No.')], build: solo() },
  'a refusal with a handler': { script: [refuses('No.')], build: solo(), options: () => ({ errorHandlers: { modelRefusal: () => ({ finalOutput: 'Something else.' }) } }) },
  'no turn at all': { script: [], build: solo(), options: () => ({ maxTurns: 0 }) },
  'too many turns': { script: [add12, add12], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ maxTurns: 1 }) },
  'too many turns with a handler': { script: [add12], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: ({ session }) => ({ maxTurns: 1, session, errorHandlers: { maxTurns: () => ({ finalOutput: 'Enough.' }) } }) },
  'ten turns by default': { script: [repeat(11, add12)], build: solo(({ lib }) => ({ tools: [addTool(lib)] })) },
  'a provider that fails': { script: [fails({ status: 500, message: 'down' })], build: solo() },
  'a provider that fails and is asked again': {
    script: [fails({ status: 500 }), says('There.')],
    build: solo(() => ({ modelSettings: { retry: { maxRetries: 1, policy: always, backoff: { initialDelayMs: 0, maxDelayMs: 0, jitter: false } } } })),
  },
  'a handoff': { script: [calls('transfer_to_Billing'), says('Paid.')], build: solo((bench) => ({ handoffs: [billing(bench)] })) },
  'a handoff beside a tool': { script: [calls(['add', { a: 1, b: 2 }], ['transfer_to_Billing', {}]), says('Paid.')], build: solo((bench) => ({ tools: [addTool(bench.lib)], handoffs: [billing(bench)] })) },
  'two handoffs at once': { script: [calls(['transfer_to_Billing', {}], ['transfer_to_Sales', {}]), says('Paid.')], build: solo((bench) => ({ handoffs: [billing(bench), new bench.lib.Agent({ name: 'Sales', model: bench.model })] })) },
  'a handoff with input': {
    script: [calls('transfer_to_Billing', { reason: 'refund' }), says('Paid.')],
    build: solo((bench) => ({ handoffs: [bench.lib.handoff(billing(bench), { inputType: z.object({ reason: z.string() }), onHandoff: () => undefined })] })),
  },
  'a handoff with input that does not fit': {
    script: [calls('transfer_to_Billing', { reason: 7 })],
    build: solo((bench) => ({ handoffs: [bench.lib.handoff(billing(bench), { inputType: z.object({ reason: z.string() }), onHandoff: () => undefined })] })),
  },
  'a handoff that is off': { script: [says('Nothing.')], build: solo((bench) => ({ handoffs: [bench.lib.handoff(billing(bench), { isEnabled: false })] })) },
  'a handoff under another name': { script: [calls('bill_it'), says('Paid.')], build: solo((bench) => ({ handoffs: [bench.lib.handoff(billing(bench), { toolNameOverride: 'bill_it', toolDescriptionOverride: 'Bills.' })] })) },
  'approval given': { script: [calls('refund', { order: 7 }), says('Refunded.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), decide: approveAll },
  'approval not asked for': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib, { needsApproval: async () => false })] })) },
  'approval waited for': { script: [calls('refund', { order: 7 })], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })) },
  'approval refused': { script: [calls('refund', { order: 7 }), says('Sorry.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), decide: (state) => { for (const call of state.getInterruptions()) state.reject(call); } },
  'approval refused with a word': { script: [calls('refund', { order: 7 }), says('Sorry.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), decide: (state) => { for (const call of state.getInterruptions()) state.reject(call, { message: 'Not today.' }); } },
  'approval refused in words of the app': {
    script: [calls('refund', { order: 7 }), says('Sorry.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })),
    decide: (state) => { for (const call of state.getInterruptions()) state.reject(call); },
    options: () => ({ toolErrorFormatter: ({ kind, toolName, defaultMessage }) => `${kind} ${toolName}: ${defaultMessage}` }),
  },
  'approval given for always': {
    script: [calls('refund', { order: 7 }), calls('refund', { order: 8 }), says('Refunded.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })),
    decide: (state) => { for (const call of state.getInterruptions()) state.approve(call, { alwaysApprove: true }); },
  },
  'approval after the state was text': { script: [calls('refund', { order: 7 }), says('Refunded.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), decide: approveAll, throughText: true },
  'input added while the run waits': {
    script: [calls('refund', { order: 7 }), says('Refunded.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })),
    decide: (state) => { approveAll(state); state.addInput('And hurry.'); },
  },
  'a rejection for always': {
    script: [calls('refund', { order: 7 }), calls('refund', { order: 8 }), says('Sorry.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })),
    decide: (state) => { for (const call of state.getInterruptions()) state.reject(call, { alwaysReject: true, message: 'Never.' }); },
  },
  'approval of one of two': {
    script: [calls(['refund', { order: 7 }], ['refund', { order: 8 }]), says('Done.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })),
    decide: (state) => state.approve(state.getInterruptions()[0]!),
  },
  'one approved, one refused': {
    script: [calls(['refund', { order: 7 }], ['refund', { order: 8 }]), says('Done.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })),
    decide: (state) => { const [first, second] = state.getInterruptions(); state.approve(first!); state.reject(second!); },
  },
  'approval, then too many turns, with a handler': {
    script: [calls('refund', { order: 7 })], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), decide: approveAll,
    options: () => ({ maxTurns: 1, errorHandlers: { maxTurns: () => ({ finalOutput: 'Enough.' }) } }),
  },
  'approval and a session': { script: [calls('refund', { order: 7 }), says('Refunded.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), decide: approveAll, options: ({ session }) => ({ session }) },
  'an agent that hands back': {
    script: [calls('transfer_to_Billing'), calls('transfer_to_Solo'), says('Back.')],
    build: (bench) => {
      const agent = solo()(bench);
      agent.handoffs.push(new bench.lib.Agent({ name: 'Billing', model: bench.model, handoffs: [agent] }));
      return agent;
    },
  },
  'a handoff and a session': { script: [calls('transfer_to_Billing'), says('Paid.')], build: solo((bench) => ({ handoffs: [billing(bench)] })), options: ({ session }) => ({ session }) },
  'a shell': {
    script: [responds({ type: 'shell_call', callId: 'sh_1', status: 'completed', action: { commands: ['ls'] } }), says('Listed.')],
    build: solo(({ lib }) => ({ tools: [lib.shellTool({ shell: { run: async () => ({ output: [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exitCode: 0 } }] }) } })] })),
  },
  'a computer': {
    script: [responds({ type: 'computer_call', callId: 'cc_1', status: 'completed', action: { type: 'screenshot' } }), says('Seen.')],
    build: solo(({ lib }) => ({ tools: [lib.computerTool({ computer: { environment: 'browser', dimensions: [10, 10], screenshot: async () => 'cGl4', click: nothing, doubleClick: nothing, scroll: nothing, type: nothing, wait: nothing, move: nothing, keypress: nothing, drag: nothing } })] })),
  },
  'a patch': {
    script: [responds({ type: 'apply_patch_call', callId: 'ap_1', status: 'completed', operation: { type: 'delete_file', path: 'a.txt' } }), says('Deleted.')],
    build: solo(({ lib }) => ({ tools: [lib.applyPatchTool({ editor: { createFile: async () => undefined, updateFile: async () => undefined, deleteFile: async () => ({ status: 'completed', output: 'gone' }) } })] })),
  },
  'approval of an agent after a handoff': {
    script: [calls('transfer_to_Desk'), calls('refund', { order: 7 }), says('Refunded.')],
    build: solo(({ lib, model }) => ({ handoffs: [new lib.Agent({ name: 'Desk', model, tools: [askingTool(lib)] })] })), decide: approveAll,
  },
  'input guardrails that pass': { script: [says('Hello.')], build: solo(() => ({ inputGuardrails: [guard('fine', false), { ...guard('first', false), runInParallel: false }] })) },
  'an input guardrail that trips': { script: [says('Hello.')], build: solo(() => ({ inputGuardrails: [{ ...guard('no', true), runInParallel: false }] })), options: ({ session }) => ({ session }) },
  'an input guardrail that throws': { script: [says('Hello.')], build: solo(() => ({ inputGuardrails: [{ name: 'broken', runInParallel: false, execute: async () => { throw new Error('broken'); } }] })) },
  'output guardrails that pass': { script: [says('Hello.')], build: solo(() => ({ outputGuardrails: [guard('fine', false)] })) },
  'an output guardrail that trips': { script: [says('Hello.')], build: solo(() => ({ outputGuardrails: [guard('no', true)] })), options: ({ session }) => ({ session }) },
  'tool guardrails that let pass': { script: [calls('look'), says('Seen.')], build: solo(({ lib }) => ({ tools: [guardedTool(lib, 'allow')] })) },
  'tool guardrails that refuse': { script: [calls('look'), says('Not seen.')], build: solo(({ lib }) => ({ tools: [guardedTool(lib, 'reject')] })) },
  'a session over two runs': { script: [says('One.'), says('Two.')], build: solo(), inputs: ['first', 'second'], options: ({ session }) => ({ session }) },
  'a session and tools': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: ({ session }) => ({ session }) },
  'a session over two runs with tools': { script: [add12, says('3'), add12, says('3 again')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), inputs: ['first', 'second'], options: ({ session }) => ({ session }) },
  'a session that is shaped': { script: [says('One.'), says('Two.')], build: solo(), inputs: ['first', 'second'], options: ({ session }) => ({ session, sessionInputCallback: (history, fresh) => [...history.slice(-1), ...fresh] }) },
  'a request that is filtered': { script: [says('Hello.')], build: solo(), options: ({ session }) => ({ session, callModelInputFilter: ({ modelData }) => ({ input: modelData.input.slice(-1), instructions: `${modelData.instructions} Filtered.` }) }) },
  'a conversation at the provider': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ conversationId: 'conv_1' }) },
  'a chain of responses at the provider': { script: [add12, says('3')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ previousResponseId: 'resp_0' }) },
  'a conversation at the provider with approval': { script: [calls('refund', { order: 7 }), says('Done.')], build: solo(({ lib }) => ({ tools: [askingTool(lib)] })), options: () => ({ conversationId: 'conv_1' }), decide: approveAll },
  'an agent as a tool': { script: [calls('Inner', { input: 'x' }), says('inner'), says('outer')], build: solo(({ lib, model }) => ({ tools: [new lib.Agent({ name: 'Inner', model }).asTool({ toolDescription: 'Inner.' })] })) },
  'an agent as a tool that fails': { script: [calls('Inner', { input: 'x' }), fails({ status: 500 }), says('outer')], build: solo(({ lib, model }) => ({ tools: [new lib.Agent({ name: 'Inner', model }).asTool({ toolDescription: 'Inner.' })] })) },
  'an agent as a tool with structured output': {
    script: [calls('Inner', { input: 'x' }), says('{"city":"Oslo"}'), says('outer')],
    build: solo(({ lib, model }) => ({ tools: [new lib.Agent({ name: 'Inner', model, outputType: z.object({ city: z.string() }) }).asTool({ toolDescription: 'Inner.' })] })),
  },
  'an agent as a tool with structured input': {
    script: [calls('Inner', { city: 'Oslo' }), says('inner'), says('outer')],
    build: solo(({ lib, model }) => ({ tools: [new lib.Agent({ name: 'Inner', model }).asTool({ toolDescription: 'Inner.', parameters: z.object({ city: z.string() }), inputBuilder: ({ params }) => `Weather in ${params.city}?` })] })),
  },
  'an MCP server': { script: [calls('read', { path: 'a' }), says('Read.')], build: solo(() => ({ mcpServers: [mcpServer({ name: 'for both', tools: ['read'] })] })) },
  'an MCP server that throws': { script: [calls('read', { path: 'a' }), says('Sorry.')], build: solo(() => ({ mcpServers: [mcpServer({ name: 'for both', tools: ['read'], answer: () => { throw new Error('gone'); } })] })) },
  'input that ends in a call': { script: [says('Hm.')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), inputs: [[user('go'), asked('add', { a: 1, b: 2 }, 'call_9'), answered('call_9', '3', 'add')]] },
  'one tool at a time': { script: [calls(['add', { a: 1, b: 2 }], ['add', { a: 3, b: 4 }]), says('Done.')], build: solo(({ lib }) => ({ tools: [addTool(lib)] })), options: () => ({ toolExecution: { maxFunctionToolConcurrency: 1 } }) },
};

/** A tool with one guardrail on each side of its body. */
export function guardedTool(lib: Library, verdict: 'allow' | 'reject' | 'throw') {
  const { allow, rejectContent, throwException } = lib.ToolGuardrailFunctionOutputFactory;
  const answer = () => ({ allow: () => allow(), reject: () => rejectContent('refused'), throw: () => throwException() })[verdict]();
  return lib.tool({
    name: 'look', description: 'Looks.', parameters: z.object({}), execute: () => 'seen',
    inputGuardrails: [lib.defineToolInputGuardrail({ name: 'before', run: async () => answer() })],
    outputGuardrails: [lib.defineToolOutputGuardrail({ name: 'after', run: async () => answer() })],
  });
}
