/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import {
  Agent, type AnswerSchema, type Answers, ApprovalNeeded, type ApprovalPolicy, type ApprovalRule, ApprovalRules, type ApprovalVerdict, type FunctionTool, type Question, type QuestionSpec,
  type QuestionToolOptions, type RunEvent, type RunState, type RunToolApprovalItem, Runner, type SavedApprovalRules, type ToolApproval, approvalNeeded, askUser, questionTool, run, tool,
} from 'loopchart';
import { z } from 'zod';

declare const item: RunToolApprovalItem;
declare const state: RunState<any, any>;
declare const event: RunEvent;

// -- questions --------------------------------------------------------------------------------------------------------
const seat = questionTool({
  name: 'seat', description: 'Asks.', parameters: z.object({ free: z.array(z.string()) }),
  questions: ({ free }, runContext) => [{ id: 'seat', text: 'Which?', options: free.map((label) => label.toUpperCase()) }, { text: String(runContext.usage.requests), schema: z.number() }],
  result: (answers, { free }) => `${String(answers['seat'])} of ${free.length}`,
  expiresAfterMs: 1_000, terminal: 'completed',
});
new Agent({ name: 'Desk', tools: [seat, askUser, { ...askUser, expiresAfterMs: 5 }] });
new Agent<{ user: string }>({ name: 'Desk', tools: [askUser, questionTool({ name: 'q', description: 'Asks.', parameters: z.object({}), questions: () => [{ text: 'Well?' }] })] });
questionTool({ name: 'q', description: 'Asks.', parameters: undefined, questions: (text) => [{ text: text.trim() }] });
// @ts-expect-error Somebody has to be asked something.
questionTool({ name: 'q', description: 'Asks.', parameters: z.object({}) });
// @ts-expect-error A person carries it out.
questionTool({ name: 'q', description: 'Asks.', parameters: z.object({}), questions: () => [], execute: () => '' });
// @ts-expect-error There is no such argument.
questionTool({ name: 'q', description: 'Asks.', parameters: z.object({ a: z.string() }), questions: ({ b }) => [{ text: b }] });
const specs: QuestionSpec[] = [{ text: 'A?', schema: { type: 'string' } }, { id: 'b', text: 'B?', options: ['x', { label: 'y', description: 'why' }], multiple: true, secret: true }];
const schemas: AnswerSchema[] = [z.string(), z.object({}), z.array(z.number()), { type: 'integer' }];
// @ts-expect-error A question has a text.
const silent: QuestionSpec = { id: 'a' };
void [specs, schemas, silent, {} as QuestionToolOptions<undefined>];

if (item.questions) for (const { id, text, schema } of item.questions) state.answer(item, { [id]: [text, schema] });
item.questions satisfies readonly Question[] | undefined;
item.reason satisfies string | undefined;
item.expiresAt satisfies number | undefined;
const answers: Answers = { a: 1 };
state.answer(item, answers);
// @ts-expect-error Answers go by the ids of their questions.
state.answer(item, 'yes');
// @ts-expect-error What is asked is not changed by whoever has the item.
item.questions = [];
if (event.type === 'approval.requested') [event.questions?.[0]?.text, event.reason?.trim(), event.expiresAt?.toFixed()];
if (event.type === 'approval.resolved' && (event.decision === 'expired' || event.decision === 'answer')) event.call.name.trim();

// -- bodies that ask --------------------------------------------------------------------------------------------------
approvalNeeded('why') satisfies ApprovalNeeded;
// @ts-expect-error Nobody can decide about nothing.
approvalNeeded();
tool({
  name: 'buy', description: 'Buys.', parameters: z.object({}), expiresAfterMs: 1_000,
  execute: (_input, runContext, details) => {
    if (!details?.approval) throw approvalNeeded('it costs 500');
    details.approval satisfies ToolApproval;
    return `${details.approval.reason} ${details.approval.approvedArguments ?? ''} ${runContext?.approval?.comment ?? ''}`;
  },
}) satisfies FunctionTool<any, any, any>;
// @ts-expect-error A time is a number of milliseconds.
tool({ name: 'buy', description: 'Buys.', parameters: z.object({}), expiresAfterMs: '1 s', execute: () => '' });

// -- policies ---------------------------------------------------------------------------------------------------------
const policy: ApprovalPolicy = { rules: [{ tool: 'pay*', agent: { regex: '^D' }, arguments: { 'to.name': 'A*', sum: 5, sure: true, by: null }, decision: 'deny', reason: 'No.' }], otherwise: 'tool' };
const rules = new ApprovalRules(policy);
rules.add(ApprovalRules.ruleFor(item)) satisfies string;
rules.remove('session.1') satisfies boolean;
rules.list satisfies readonly ApprovalRule[];
rules.toJSON() satisfies SavedApprovalRules;
new ApprovalRules(rules.toJSON());
declare const verdict: ApprovalVerdict;
verdict.rule.trim();
// @ts-expect-error There is no such ruling.
const odd: ApprovalRule = { tool: 'pay', decision: 'maybe' };
// @ts-expect-error Lists are no patterns.
const listed: ApprovalRule = { tool: 'pay', arguments: { to: ['Ada'] }, decision: 'ask' };
void [odd, listed];
await run(new Agent({ name: 'Desk' }), 'go', { approvalPolicy: rules, approvalExpiresAfterMs: 1_000 });
await run(new Agent({ name: 'Desk' }), 'go', { approvalPolicy: policy });
new Runner({ approvalPolicy: policy, approvalExpiresAfterMs: 1_000 });
// @ts-expect-error A policy has rules.
await run(new Agent({ name: 'Desk' }), 'go', { approvalPolicy: [] });
