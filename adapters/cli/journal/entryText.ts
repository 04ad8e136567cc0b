/** What an entry says, in a few words. */
import type { Response } from '../../../machines/protocol/call.ts';
import type { Command, Decision } from '../../../machines/protocol/command.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { ThreadCommand } from '../../../machines/protocol/thread.ts';
import type { JournalEntry, RecordedOutcome } from '../../../machines/protocol/journal.ts';
import { callText, messageText, resultText } from '../wording.ts';
import { stateText } from './runTable.ts';

export function entryText(entry: JournalEntry): string {
  switch (entry.type) {
    case 'run.start':
      return `${entry.input.agent}: ${inputText([entry]) || 'goes on where another run has ended'}`;
    case 'thread.start':
      return `a thread with ${entry.input.agent}`;
    case 'command':
      return isOfThread(entry.command) ? threadCommandText(entry.command) : commandText(entry.command);
    case 'decide':
      return decisionText(entry.decision);
    case 'effect.started':
      return 'it begins';
    case 'effect.item':
      return itemText(entry.item);
    case 'effect.done':
      return outcomeText(entry.outcome);
    case 'effect.failed':
      return `${entry.error.name}: ${entry.error.message}`;
    case 'effect.lost':
      return 'it had begun, and nobody knows whether it had its effect';
    case 'effect.late':
      return `after it was left behind: ${outcomeText(entry.outcome)}`;
    case 'run.rest':
      return stateText(entry);
  }
}

/** The newest message of the person with which a run began; empty where it goes on from another. */
export function inputText([start]: readonly JournalEntry[]): string {
  if (start?.type !== 'run.start') return '';
  const { given, prepared } = start.input;
  return (given ?? prepared?.input ?? []).map(saidText).findLast((text) => text !== '') ?? '';
}

function commandText(command: Command): string {
  switch (command.type) {
    case 'steer':
      return `a message: ${command.input.map(({ item }) => saidText(item)).join(' ')}`;
    case 'mail':
      return `mail: ${command.input.map(({ item }) => saidText(item)).join(' ')}`;
    case 'softStop':
      return 'stop after this turn';
    case 'interrupt':
      return `interrupt (${command.reason})`;
    case 'compact':
      return 'shorten the conversation';
    case 'configure':
      return `other limits: ${JSON.stringify({ ...command, type: undefined })}`;
  }
}

const isOfThread = (command: Command | ThreadCommand): command is ThreadCommand => command.type.includes('.');

function threadCommandText(command: ThreadCommand): string {
  switch (command.type) {
    case 'thread.run':
      return itemsText(command.input) || 'goes on without a word';
    case 'thread.steer':
      return `to the run that is going: ${itemsText(command.input.map(({ item }) => item))}`;
    case 'queue.add':
    case 'queue.edit':
      return `${command.type === 'queue.add' ? 'queued' : 'queued otherwise'}: ${itemsText(command.entry.input ?? [])}`;
    case 'thread.mail':
      return `mail from ${command.mail.from}: ${command.mail.content}`;
    case 'thread.goal':
      return command.goal ? `the goal: ${command.goal.message}` : 'no goal any more';
    case 'rule.add':
      return `${command.rule.decision} ${plain(command.rule.tool)} from now on`;
    case 'thread.inject':
      return `into the history: ${itemsText(command.items) || `${command.items.length} items`}`;
    default:
      return WORDS[command.type];
  }
}

const WORDS = {
  'thread.interrupt': 'interrupt',
  'thread.softStop': 'stop after this turn',
  'thread.compact': 'sum the conversation up',
  'thread.revert': 'the history goes back',
  'thread.close': 'close',
  'queue.move': 'another place in the queue',
  'queue.remove': 'out of the queue',
  'queue.resume': 'the queue goes on',
  'rule.remove': 'a rule is taken back',
  'background.start': 'an agent begins to work beside the runs',
} as const;

const itemsText = (items: readonly AgentInputItem[]) => items.map(saidText).filter((text) => text !== '').join(' ');

function decisionText(decision: Decision): string {
  switch (decision.decision) {
    case 'approve':
      return ['approved', decision.always && 'for always', decision.arguments && `as ${decision.arguments}`, decision.reason].filter(Boolean).join(' ');
    case 'reject':
      if (decision.expired) return `expired: ${decision.message ?? ''}`;
      return `rejected${decision.always ? ' for always' : ''}${decision.message ? `: ${decision.message}` : ''}`;
    case 'answer':
      return `answered: ${plain(decision.answers)}`;
    case 'useResult':
      return `brought, as a person says: ${plain(decision.output)}`;
  }
}

function outcomeText(outcome: RecordedOutcome): string {
  switch (outcome.status) {
    case 'lost':
      return 'lost';
    case 'asks':
      return `asks for approval: ${outcome.reason}`;
    case 'error':
      return `failed (${outcome.failure.code}): ${outcome.failure.message}`;
    case 'ok':
      return valueText(outcome.value);
  }
}

/** Each effect answers in its own way; those that people know have words. */
function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === undefined || value === null ? '' : String(value);
  if (isResponse(value)) return value.items.map(itemText).filter((text) => text !== '').join(' · ');
  const result = 'result' in value ? value.result : value; // of a body, or of a check of one
  if (typeof result === 'object' && result !== null && 'item' in result && 'status' in result) return `${String(result.status)}: ${resultText(result.item as AgentInputItem)}`;
  return plain(value);
}

const isResponse = (value: object): value is Response => 'items' in value && 'usage' in value && 'calls' in value;

function itemText(item: AgentInputItem): string {
  if (messageText(item) !== '') return messageText(item);
  if ('name' in item && 'callId' in item && item.type !== 'function_call_result') return `→ ${callText(String(item.name), item)}`;
  return item.type ?? '';
}

/** What a person has said. */
export function saidText(item: AgentInputItem): string {
  if (!('role' in item) || item.role !== 'user') return '';
  if (typeof item.content === 'string') return item.content;
  return item.content.map((part) => ('text' in part ? part.text : `[${part.type}]`)).join(' ');
}

const plain = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
