/** What the built-in provider answers: rules in order, the first that fits. Pure, so that a conversation always goes the same way. */
import { ORDERS } from './orders.ts';

export interface Question {
  /** The newest message of the person. */
  text: string;
  /** What tools have answered since. */
  results: readonly Result[];
  /** Said and answered since the last answer, before the newest message: that one steers what is going. */
  before?: { texts: readonly string[]; results: readonly Result[] };
  /** What the asking agent may call, handoffs included. */
  tools: readonly string[];
}
export interface Result { name: string; text: string }
export interface Answer { content?: string; calls?: { name: string; input: string }[] }

interface Rule { when(asked: Reading): boolean; then(asked: Reading): Answer }
interface Reading {
  /** The one that was named last. */
  order: string;
  /** All that were named, and not looked up yet. */
  unknown: string[];
  result(name: string): string | undefined;
  results(name: string): string[];
  mentions(words: RegExp): boolean;
  may(tool: string): boolean;
}

export function answerOfSupportDesk(question: Question): Answer {
  if (/^Write a summary /m.test(question.text)) return { content: SUMMARY };
  const asked = readingOf(question);
  const answer = (RULES.find(({ when }) => when(asked)) ?? FALLBACK).then(asked);
  const ends = answer.calls === undefined && asked.mentions(/GOAL REACHED/);
  return ends ? { ...answer, content: `${answer.content ?? ''}\nGOAL REACHED` } : answer;
}

const SUMMARY = 'The customer has asked about orders and refunds, and has been answered. Orders 1001 and 1002 are known.';

/** For agents of one's own while there is no model: it can at least call their tools. */
export function answerOfStandIn({ text, results, tools }: Question): Answer {
  if (results.length > 0) return { content: results.map(({ name, text: result }) => `${name} answered: ${result}`).join('\n') };
  const call = /^call\s+(\S+)\s*(.*)$/is.exec(text.trim());
  const name = call?.[1];
  if (name !== undefined && tools.includes(name)) return { calls: [{ name, input: call?.[2] || '{}' }] };
  const offer = tools.length > 0 ? ` What I can do is call the tools of this agent: write "call ${tools[0]} {…}" with arguments as JSON. It has ${tools.join(', ')}.` : '';
  return { content: `I am the built-in stand-in for a model, so I cannot think about "${text}".${offer} Set OPENAI_API_KEY or OPENAI_BASE_URL to give this agent a real model.` };
}

const REFUND = /refund|money back|reimburse/i;
const ORDER = /order|parcel|package|deliver|track|arriv|where/i;
const STOCK = /\bstock\b|shelf|shelves|inventory/i;

const RULES: readonly Rule[] = [
  { when: ({ result }) => result('issue_refund') !== undefined, then: ({ result, order }) => ({ content: refundText(result('issue_refund') ?? '', order) }) },
  {
    when: ({ result, unknown, may }) => result('look_up_order') !== undefined && unknown.length > 0 && may('look_up_order'),
    then: ({ unknown }) => ({ content: 'That one as well.', calls: unknown.map((order) => ({ name: 'look_up_order', input: JSON.stringify({ order }) })) }),
  },
  {
    when: ({ mentions, may }) => mentions(REFUND) && may('issue_refund'),
    then: ({ order }) => ({ content: `I can refund order ${order}. A colleague has to approve it first.`, calls: [{ name: 'issue_refund', input: JSON.stringify({ order, amount: ORDERS[order]?.amount ?? 0 }) }] }),
  },
  { when: ({ mentions, may }) => mentions(REFUND) && may('transfer_to_Billing'), then: () => ({ calls: [{ name: 'transfer_to_Billing', input: '{}' }] }) },
  { when: ({ mentions, result, may }) => mentions(STOCK) && result('take_stock') === undefined && may('take_stock'), then: () => ({ content: 'I walk along the shelves.', calls: [{ name: 'take_stock', input: '{}' }] }) },
  {
    when: ({ mentions, result, unknown, may }) => mentions(ORDER) && result('take_stock') !== undefined && unknown.length > 0 && may('look_up_order'),
    then: ({ unknown }) => ({ content: 'And the order.', calls: unknown.map((order) => ({ name: 'look_up_order', input: JSON.stringify({ order }) })) }),
  },
  {
    when: ({ result }) => result('look_up_order') !== undefined || result('take_stock') !== undefined,
    then: ({ result, results }) => ({ content: foundText([...results('take_stock'), ...results('look_up_order')], result('check_policy')) }),
  },
  {
    when: ({ mentions, may }) => mentions(ORDER) && may('look_up_order'),
    then: ({ order }) => ({
      content: 'Let me look that up.',
      calls: [{ name: 'look_up_order', input: JSON.stringify({ order }) }, { name: 'check_policy', input: JSON.stringify({ topic: 'delivery' }) }],
    }),
  },
  { when: ({ mentions, may }) => mentions(ORDER) && may('transfer_to_Triage'), then: () => ({ calls: [{ name: 'transfer_to_Triage', input: '{}' }] }) },
  { when: ({ mentions }) => mentions(/^\W*(hi|hello|hey|good (morning|evening|day))\b/i), then: () => ({ content: 'Hello! Ask me about an order, or for a refund. I know the orders 1001 and 1002.' }) },
  { when: ({ mentions }) => mentions(/thank|cheers/i), then: () => ({ content: 'You are welcome. Is there anything else?' }) },
];

const FALLBACK: Rule = {
  when: () => true,
  then: () => ({
    content:
      'I am only a script, so this is beyond me. Try "Where is my order 1001?", "I want a refund for order 1001", or send a card number to see a guardrail. ' +
      'With OPENAI_API_KEY or OPENAI_BASE_URL set, a real model answers here.',
  }),
};

function readingOf({ text, results, tools, before = { texts: [], results: [] } }: Question): Reading {
  const words = [...before.texts, text].join('\n');
  const found = [...before.results, ...results];
  const orders = [...new Set(words.match(/\b\d{4}\b/g) ?? [])];
  const lookedUp = found.filter(({ name }) => name === 'look_up_order');
  const isKnown = (order: string) => lookedUp.length >= orders.length || lookedUp.some((result) => result.text.includes(order));
  return {
    order: orders.at(-1) ?? '1001',
    unknown: orders.filter((order) => !isKnown(order)),
    result: (name) => found.findLast((result) => result.name === name)?.text,
    results: (name) => found.filter((result) => result.name === name).map((result) => result.text),
    mentions: (pattern) => pattern.test(words),
    may: (tool) => tools.includes(tool),
  };
}

function refundText(result: string, order: string): string {
  if (/^Refunded/.test(result)) return `Done. ${result} It takes three to five working days to show on your statement.`;
  return `I have not refunded order ${order}: ${result.replace(/^Error: /, '')} Nothing was charged or paid out.`;
}

function foundText(found: readonly string[], policy: string | undefined): string {
  return policy === undefined ? found.join(' ') : `${found.join(' ')} ${policy} If it does not turn up, tell me and I will ask billing for a refund.`;
}
