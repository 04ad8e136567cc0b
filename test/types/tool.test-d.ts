/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { z } from 'zod';
import { hostedMcpTool } from '../../actors/hostedTools.ts';
import { computerTool, shellTool } from '../../actors/localTools.ts';
import type { Computer, Shell } from '../../actors/ports.ts';
import type { RunContext } from '../../actors/runContext.ts';
import type { StandardSchemaWithJSON } from '../../actors/schemaTypes.ts';
import { invokeFunctionTool, tool, toolNamespace, type FunctionTool, type Tool, type ToolExecuteArgument } from '../../actors/tool.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
function holds<_Claim extends true>(): void {}

interface Session { userId: string }
declare const runContext: RunContext<Session>;
declare const standard: StandardSchemaWithJSON<{ raw: string }, { length: number }>;
const jsonParameters = { type: 'object' as const, properties: { a: { type: 'string' } }, required: ['a' as const], additionalProperties: false as const };

// -- arguments --------------------------------------------------------------------------------------------------------

const zodObject = z.object({ city: z.string(), days: z.number().optional(), at: z.string().transform(Number) });
holds<Equal<ToolExecuteArgument<typeof zodObject>, { city: string; days?: number | undefined; at: number }>>();
holds<Equal<ToolExecuteArgument<typeof standard>, { length: number }>>();
holds<Equal<ToolExecuteArgument<typeof jsonParameters>, unknown>>();
holds<Equal<ToolExecuteArgument<undefined>, string>>();

const weather = tool({
  name: 'weather',
  description: 'The weather.',
  parameters: zodObject,
  needsApproval: async (_context, { city }) => city.length > 3,
  execute: async ({ city, at }, context, details) => `${city.toUpperCase()} ${at.toFixed()} ${context?.usage.totalTokens} ${details?.callId} ${details?.effectId}`,
});
tool({ name: 't', description: '', parameters: standard, execute: ({ length }) => length.toFixed() });
tool({ name: 't', description: '', parameters: undefined, execute: (input) => input.toUpperCase() });
tool({ name: 't', description: '', parameters: { ...jsonParameters, additionalProperties: true as const }, strict: false, execute: (input: unknown) => String(input) });

// @ts-expect-error The schema has no such field.
tool({ name: 't', description: '', parameters: z.object({ a: z.string() }), execute: ({ b }) => b });
// @ts-expect-error A field has the type that the schema gives it.
tool({ name: 't', description: '', parameters: z.object({ a: z.string() }), execute: ({ a }) => a.toFixed() });
// @ts-expect-error What a schema makes of the value is what the body gets, not what the model wrote.
tool({ name: 't', description: '', parameters: standard, execute: ({ raw }) => raw });
// @ts-expect-error The arguments of a JSON schema are unknown until the body looks at them.
tool({ name: 't', description: '', parameters: jsonParameters, execute: (input) => input.a });
// @ts-expect-error Without parameters the body gets text.
tool({ name: 't', description: '', parameters: undefined, execute: (input) => input.toFixed() });
// @ts-expect-error zod needs strict mode.
tool({ name: 't', description: '', parameters: z.object({}), strict: false, execute: () => '' });
// @ts-expect-error Strict mode needs a closed schema.
tool({ name: 't', description: '', parameters: { ...jsonParameters, additionalProperties: true as const }, strict: true, execute: () => '' });
// @ts-expect-error A tool needs a description.
tool({ name: 't', parameters: z.object({}), execute: () => '' });
// @ts-expect-error A tool needs a body.
tool({ name: 't', description: '', parameters: z.object({}) });

// -- effects ----------------------------------------------------------------------------------------------------------

tool({ name: 't', description: '', parameters: z.object({}), execute: () => '', effect: 'reconcilable', check: async (key) => ({ happened: true, result: key }), terminal: 'rejected', parallel: false, repeatable: true });
// @ts-expect-error There is no such effect.
tool({ name: 't', description: '', parameters: z.object({}), execute: () => '', effect: 'safe' });
// @ts-expect-error There is no such end.
tool({ name: 't', description: '', parameters: z.object({}), execute: () => '', terminal: 'done' });
// @ts-expect-error A check says whether it happened.
tool({ name: 't', description: '', parameters: z.object({}), execute: () => '', effect: 'reconcilable', check: async () => true });

// -- output schemas ---------------------------------------------------------------------------------------------------

const structured = tool({ name: 's', description: '', parameters: z.object({}), outputSchema: z.object({ id: z.string() }), execute: () => ({ id: 'x' }) });
const id: Promise<string | { id: string }> = structured.invoke(runContext, '{}');
// @ts-expect-error The body must return what the schema says.
tool({ name: 's', description: '', parameters: z.object({}), outputSchema: z.object({ id: z.string() }), execute: () => ({ id: 7 }) });
// @ts-expect-error A structured tool that turns timeouts into results must say into which.
tool({ name: 's', description: '', parameters: z.object({}), outputSchema: z.object({ id: z.string() }), execute: () => ({ id: 'x' }), timeoutBehavior: 'error_as_result' });
// @ts-expect-error A stand-in result must fit the schema.
tool({ name: 's', description: '', parameters: z.object({}), outputSchema: z.object({ id: z.string() }), execute: () => ({ id: 'x' }), errorFunction: () => 'sorry' });

// -- contexts and members ---------------------------------------------------------------------------------------------

const forSession = tool<undefined, Session>({ name: 'c', description: '', parameters: undefined, execute: (_input, context) => context!.context.userId });
forSession.invoke(runContext, '');
invokeFunctionTool({ tool: weather, runContext, input: '{}' });
const asTool: Tool<Session> = forSession;
const [grouped] = toolNamespace({ name: 'n', description: 'd', tools: [weather, structured] as const });
const sameParameters: FunctionTool<unknown, typeof zodObject, string> = grouped;
const policy: boolean | ((...args: never[]) => Promise<boolean>) = weather.approvalPolicy;
const parsed = weather.parseInput('{}');
if (!parsed.ok) ((_reason: 'json' | 'schema') => undefined)(parsed.reason);

declare const otherContext: RunContext<{ other: true }>;
// @ts-expect-error A tool for one context is not invoked with another.
forSession.invoke(otherContext, '');
// @ts-expect-error The tools of a namespace are function tools.
toolNamespace({ name: 'n', description: 'd', tools: [{ type: 'hosted_tool', name: 'web' }] });
// @ts-expect-error A call that was not parsed has no value.
parsed.value;

// -- local and hosted tools -------------------------------------------------------------------------------------------

declare const shell: Shell;
declare const computer: Computer;
shellTool({ shell, needsApproval: async (_context, action) => action.commands.length > 1 });
shellTool({ environment: { type: 'container_auto' } });
computerTool({ computer: { create: async () => computer, dispose: ({ computer: made }) => void made.screenshot() } });
hostedMcpTool({ serverLabel: 'l', connectorId: 'c', requireApproval: 'always', onApproval: async (_context, item) => ({ approve: item.name === 'x' }) });
// @ts-expect-error A local shell needs something to run commands.
shellTool({});
// @ts-expect-error A shell in a container runs elsewhere.
shellTool({ environment: { type: 'container_auto' }, shell });
// @ts-expect-error Nobody can be asked about a container's commands.
shellTool({ environment: { type: 'container_auto' }, needsApproval: true });
// @ts-expect-error An approval that never comes is answered by nobody.
hostedMcpTool({ serverLabel: 'l', serverUrl: 'u', requireApproval: 'never', onApproval: async () => ({ approve: true }) });

export { asTool, id, policy, sameParameters };
