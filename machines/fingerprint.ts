import type { Call } from './protocol/call.ts';

/** What a decision about a call is bound to: its name and its arguments in one canonical form (D2, C5). */
export function fingerprintOf(call: Pick<Call, 'name' | 'item'>): string {
  return `${call.name} ${canonical(argumentsOf(call.item))}`;
}

function argumentsOf(item: Call['item']): unknown {
  switch (item.type) {
    case 'function_call':
    case 'hosted_tool_call':
      return parsed(item.arguments ?? '');
    case 'computer_call':
      return item.actions ?? item.action;
    case 'shell_call':
      return item.action;
    case 'apply_patch_call':
      return item.operation;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // arguments that are no JSON are compared as they stand
  }
}

/** JSON with sorted keys: the same for equal values. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
