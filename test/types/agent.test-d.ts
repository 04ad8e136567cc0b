/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { z } from 'zod';
import { Agent, type AgentOptions, type ResolvedAgentOutput } from '../../actors/agent.ts';
import { handoff } from '../../actors/handoff.ts';
import type { RunContext } from '../../actors/runContext.ts';
import type { StandardSchemaWithJSON } from '../../actors/schemaTypes.ts';
import { tool } from '../../actors/tool.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
function holds<_Claim extends true>(): void {}
type OutputOf<T extends Agent<any, any>> = ResolvedAgentOutput<T['outputType']>;

interface Session { userId: string }
declare const runContext: RunContext<Session>;
declare const otherContext: RunContext<{ other: true }>;
declare const standard: StandardSchemaWithJSON<{ raw: string }, { length: number }>;

// -- outputs ----------------------------------------------------------------------------------------------------------

const text = new Agent({ name: 'Text' });
const structured = new Agent({ name: 'Zod', outputType: z.object({ n: z.number(), at: z.string().transform(Number) }) });
const other = new Agent({ name: 'Standard', outputType: standard });
const json = new Agent({ name: 'Json', outputType: { type: 'json_schema', name: 'J', strict: true, schema: { type: 'object', properties: {}, required: [], additionalProperties: false } } });
holds<Equal<OutputOf<typeof text>, string>>();
holds<Equal<OutputOf<typeof structured>, { n: number; at: number }>>();
holds<Equal<OutputOf<typeof other>, { length: number }>>();
holds<Equal<OutputOf<typeof json>, unknown>>();
structured.processFinalOutput('{}').at.toFixed();
text.processFinalOutput('').toUpperCase();

// @ts-expect-error The output has no such field.
structured.processFinalOutput('{}').m;
// @ts-expect-error Text is no number.
text.processFinalOutput('').toFixed();
// @ts-expect-error A JSON schema says nothing to the compiler.
json.processFinalOutput('{}').n;
// @ts-expect-error There is no such kind of output.
new Agent({ name: 'A', outputType: 'xml' });
// @ts-expect-error A schema of text describes no object.
new Agent({ name: 'A', outputType: { type: 'json_schema', name: 'J', strict: true, schema: { type: 'string' } } });

// -- unions over handoffs ---------------------------------------------------------------------------------------------

const triage = Agent.create({ name: 'Triage', outputType: z.object({ triaged: z.literal(true) }), handoffs: [text, handoff(structured), other] });
type Triaged = OutputOf<typeof triage>;
holds<Equal<Triaged, string | { n: number; at: number } | { length: number } | { triaged: true }>>();
const plain = Agent.create({ name: 'Plain', handoffs: [structured] });
holds<Equal<OutputOf<typeof plain>, string | { n: number; at: number }>>();
const alone = Agent.create({ name: 'Alone' });
holds<Equal<OutputOf<typeof alone>, string>>();
// @ts-expect-error A union has only what all its members have.
triage.processFinalOutput('').n;
// @ts-expect-error An agent needs a name.
Agent.create({ handoffs: [text] });

// -- contexts ---------------------------------------------------------------------------------------------------------

const forSession = tool<undefined, Session>({ name: 'c', description: '', parameters: undefined, execute: (_input, context) => context!.context.userId });
const agent = new Agent<Session>({
  name: 'A',
  instructions: ({ context }, self) => `${self.name} ${context.userId}`,
  tools: [forSession],
  hooks: { agentStart: ({ context }) => void context.userId, turnEnd: (_context, turn) => turn.toFixed() },
});
agent.getAllTools(runContext).then((tools) => tools.map(({ name }) => name));
agent.on('agent_end', ({ context }, output) => context.userId + output);
const copy: Agent<Session, 'text'> = agent.clone({ name: 'B' });
const anyAgent: Agent<any, any> = structured;
const options: AgentOptions<Session> = { name: 'A', instructions: 'i' };

// @ts-expect-error An agent for one context is not run with another.
agent.getAllTools(otherContext);
// @ts-expect-error The context has no such field.
new Agent<Session>({ name: 'A', instructions: ({ context }) => context.email });
// @ts-expect-error An option that does not exist.
new Agent({ name: 'A', instruction: 'i' });
// @ts-expect-error There is no such hook.
new Agent({ name: 'A', hooks: { started: () => undefined } });
// @ts-expect-error A tool for a session is of no use without one.
new Agent<{ other: true }>({ name: 'A', tools: [forSession] });

// -- tool use ---------------------------------------------------------------------------------------------------------

new Agent({ name: 'A', toolUseBehavior: { stopAtToolNames: ['x'] } });
new Agent({ name: 'A', toolUseBehavior: async (_context, [first]) => ({ isFinalOutput: true, isInterrupted: undefined, finalOutput: first?.type === 'function_output' ? String(first.output) : '' }) });
// @ts-expect-error There is no such behaviour.
new Agent({ name: 'A', toolUseBehavior: 'stop' });
// @ts-expect-error A final output is text.
new Agent({ name: 'A', toolUseBehavior: () => ({ isFinalOutput: true, isInterrupted: undefined, finalOutput: 7 }) });

// -- agents as tools --------------------------------------------------------------------------------------------------

const asTool = structured.asTool({ toolName: 's', customOutputExtractor: ({ finalOutput }) => finalOutput.n.toFixed() });
asTool.on('raw_model_stream_event', ({ event, agent: by }) => void [event.type, by.outputType]).on('*', () => undefined);
const nested: Agent<any, any> = asTool.delegate.agent;
text.asTool({ parameters: z.object({ year: z.number() }), inputBuilder: ({ params }) => params.year.toFixed(), needsApproval: async (_context, { year }) => year > 2000 });
new Agent({ name: 'A', tools: [asTool] });
// @ts-expect-error The nested output has no such field.
structured.asTool({ customOutputExtractor: ({ finalOutput }) => finalOutput.m });
// @ts-expect-error The arguments have no such field.
text.asTool({ parameters: z.object({ year: z.number() }), inputBuilder: ({ params }) => params.month });
// @ts-expect-error There is no such event.
asTool.on('tool_called', () => undefined);

export { anyAgent, copy, nested, options };
