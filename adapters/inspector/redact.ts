import { Log } from '../../machines/log.ts';
import { isSecretKey, safeText } from './secrets.ts';

/** How much of a running system may leave the process. Everything is counted per message. */
export interface InspectorLimits {
  /** Longest text shown, in characters; a longer one is cut and says how long it was. Default 200. */
  text: number;
  /** Depth to which a context is shown. Default 5. */
  depth: number;
  /** Properties shown of one object. Default 30. */
  properties: number;
  /** Entries shown of a list: a longer one becomes `{ length, last }`. Default 3. */
  tail: number;
  /** Values looked at in one context or payload before the rest is cut. Default 400. */
  values: number;
  /** Characters of text shown in one context or payload before the rest is cut. Default 8,000. */
  characters: number;
  /** Actors kept for whoever connects late; the oldest finished ones go first. Default 10,000. */
  actors: number;
  /** Bytes that may wait for a slow receiver; beyond, it misses events and is told of all actors anew. Default 8 MiB. */
  waitingBytes: number;
}

export const defaultLimits: InspectorLimits = {
  text: 200,
  depth: 5,
  properties: 30,
  tail: 3,
  values: 400,
  characters: 8_000,
  actors: 10_000,
  waitingBytes: 8 * 1024 * 1024,
};

/** One thing that is about to be shown. */
export interface InspectedPart {
  kind: 'snapshot' | 'event' | 'definition';
  /** The snapshot, the event, or the `config` of the logic, as XState has it: do not change it. */
  value: unknown;
  actor: InspectedActor;
}

export interface InspectedActor {
  sessionId: string;
  /** Id of the actor, followed by the slot of the chart that it fills when that says more. */
  name: string;
  /** The slot of the parent's chart (`src`), for a child that was started by name. */
  src: string | undefined;
  /** A state machine, rather than a leaf or any other actor logic. */
  isMachine: boolean;
}

/** What is shown of one part, as JSON. */
export type Redact = (part: InspectedPart) => unknown;

/**
 * The redaction that applies unless another is given. Definitions stay whole; of a context, ends of lists and short texts are
 * shown; what is said to and by leaves, and with events, is shown as an outline: keys, kinds, ids, numbers and sizes, no text.
 * Credentials are removed from all three, by the name of their key and by what they look like.
 */
export function redaction(limits: InspectorLimits): Redact {
  return ({ kind, value, actor }) => {
    switch (kind) {
      case 'definition':
        return definitionOf(value, limits, 0);
      case 'event':
        return outlineEvent(value, limits);
      case 'snapshot':
        return snapshotOf(value, actor, limits);
    }
  };
}

/** What remains of the allowance of one message; shared by everything that is in it. */
interface Allowance {
  values: number;
  characters: number;
}

type Walk = (value: unknown, depth: number, key: string) => unknown;

function snapshotOf(value: unknown, { isMachine }: InspectedActor, limits: InspectorLimits): unknown {
  if (typeof value !== 'object' || value === null) return { status: 'active' };
  const allowance = allowanceOf(limits);
  const { status, value: state, context, output, error, input, tags, children } = value as Record<string, unknown>;
  const walkContext = isMachine ? excerpt(limits, allowance) : outline(limits, allowance);
  const shown: Record<string, unknown> = { status };
  // State value and tags are words of the definition: bounded by it and safe.
  if (isMachine) Object.assign(shown, { value: state, tags: tags instanceof Set ? [...tags] : tags, children: childrenOf(children, limits) });
  if (context !== undefined) shown['context'] = walkContext(context, 0, 'context');
  for (const [key, payload] of Object.entries({ output, error, input })) {
    if (payload !== undefined) shown[key] = outline(limits, allowance)(payload, 0, key);
  }
  return shown;
}

function childrenOf(children: unknown, limits: InspectorLimits): unknown {
  if (typeof children !== 'object' || children === null) return undefined;
  const shown: Record<string, unknown> = {};
  let left = limits.properties;
  for (const id in children) {
    if (left === 0) break;
    left -= 1;
    shown[safeText(id, limits.text)] = { id: safeText(id, limits.text) };
  }
  return shown;
}

function outlineEvent(event: unknown, limits: InspectorLimits): unknown {
  const walk = outline(limits, allowanceOf(limits));
  const { type } = event as { type: unknown };
  const outlined = walk(event, 0, 'event');
  return typeof outlined === 'object' ? { ...outlined, type: safeText(String(type), limits.text) } : { type };
}

/** Shows what a value holds: texts cut short, lists as their ends. */
function excerpt(limits: InspectorLimits, allowance: Allowance): Walk {
  return walkWith(limits, allowance, (text) => safeText(text, limits.text));
}

/** Shows what shape a value has: numbers, and texts only where the key says that they name something. */
function outline(limits: InspectorLimits, allowance: Allowance): Walk {
  return walkWith(limits, allowance, (text, key) => (NAMING_KEY.test(key) && text.length <= 100 ? safeText(text, 100) : `[text, ${text.length} characters]`));
}

/** Keys whose text names a thing and does not tell its content; short, because the arguments of a tool may have any key. */
const NAMING_KEY = /^(?:type|status|code|kind|role|at|src|id|(?:actor|agent|call|effect|item|response|run|thread|turn)Id|(?:agent|tool)Name)$/;

function walkWith(limits: InspectorLimits, allowance: Allowance, show: (text: string, key: string) => string): Walk {
  const walk: Walk = (value, depth, key) => {
    if (allowance.values <= 0 || allowance.characters <= 0) return '[cut]';
    allowance.values -= 1;
    if (typeof value === 'boolean' || value === undefined || value === null) return value;
    if (isSecretKey(key)) return '[redacted]';
    if (typeof value === 'string') return spend(show(value, key), allowance);
    if (typeof value === 'object') return objectOf(value, depth, limits, allowance, walk);
    return typeof value === 'number' ? value : `[${typeof value}]`;
  };
  return walk;
}

function objectOf(value: object, depth: number, limits: InspectorLimits, allowance: Allowance, walk: Walk): unknown {
  if (value instanceof Error) {
    const { name, message, code } = value as Error & { code?: unknown };
    return { name, message: spend(safeText(message, limits.text), allowance), code: walk(code, depth + 1, 'code') };
  }
  if (depth >= limits.depth) return Array.isArray(value) || value instanceof Log ? { length: value.length } : '[cut]';
  if (Array.isArray(value)) return tailOf(value, value.length, depth, limits, walk);
  // A conversation grows without end: only its tail is copied.
  if (value instanceof Log) return tailOf(value.toArray(Math.max(0, value.length - limits.tail)), value.length, depth, limits, walk);
  return isPlain(value) ? propertiesOf(value, depth, limits, allowance, walk) : `[${kindOf(value)}]`;
}

function tailOf(list: readonly unknown[], length: number, depth: number, limits: InspectorLimits, walk: Walk): unknown {
  // Entries have no key of their own, so texts in a list are as private as any.
  const last = list.slice(Math.max(0, list.length - limits.tail)).map((entry) => walk(entry, depth + 1, ''));
  return length <= limits.tail ? last : { length, last };
}

function propertiesOf(value: object, depth: number, limits: InspectorLimits, allowance: Allowance, walk: Walk): unknown {
  const shown: Record<string, unknown> = {};
  let left = limits.properties;
  for (const key in value) {
    if (left === 0 || allowance.values <= 0 || allowance.characters <= 0) return { ...shown, '…': '[cut]' };
    left -= 1;
    shown[spend(safeText(key, limits.text), allowance)] = walk((value as Record<string, unknown>)[key], depth + 1, key);
  }
  return shown;
}

/**
 * The whole chart, as the inspector draws it: no state, transition or name is left out. Payloads written into it (a literal
 * context or input) are outlined like any other; `types` and `schemas` are for the compiler and for validation.
 */
function definitionOf(value: unknown, limits: InspectorLimits, depth: number, key = ''): unknown {
  if (PAYLOAD_KEY.test(key)) return outline(limits, allowanceOf(limits))(value, 0, '');
  if (NOTE_KEY.test(key)) return excerpt({ ...limits, tail: limits.properties }, allowanceOf(limits))(value, 0, '');
  if (typeof value === 'string') return safeText(value, 2_000);
  if (typeof value === 'function') return { type: value.name };
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MOST_NESTED) return '[cut]';
  if (Array.isArray(value)) return value.map((entry) => definitionOf(entry, limits, depth + 1));
  if (!isPlain(value)) return kindOf(value);
  const named = NAMES_KEY.test(key);
  const entries = Object.entries(value).filter(([name]) => named || !UNSEEN_KEY.test(name));
  // The keys below `states` and `on` are names that a chart chose, and may be anything; they are not looked at as keys again.
  return Object.fromEntries(entries.map(([name, entry]) => [name, definitionOf(entry, limits, depth + 1, named ? '' : name)]));
}

const PAYLOAD_KEY = /^(?:context|input|output)$/;
/** What a chart says about itself, such as which levels a state spawns. */
const NOTE_KEY = /^(?:meta|params)$/;
const NAMES_KEY = /^(?:states|on|after)$/;
const UNSEEN_KEY = /^(?:types|schemas)$/;

/** A state costs two levels, so this is some hundred nested states: only a cycle is deeper. */
const MOST_NESTED = 200;

function allowanceOf(limits: InspectorLimits): Allowance {
  return { values: limits.values, characters: limits.characters };
}

function spend(text: string, allowance: Allowance): string {
  allowance.characters -= text.length;
  return text;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: object): string {
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name}, ${value.size} entries`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}, ${value.byteLength} bytes`;
  const id = (value as { id?: unknown }).id;
  return `${value.constructor?.name ?? 'object'}${typeof id === 'string' ? ` ${safeText(id, 100)}` : ''}`;
}
