/** What became of input that was added while a run was going, as a line an event. */
import type { RunEvent } from 'loopchart';

export function receipts(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'input.accepted':
        return [`accepted ${textsOf(event.items)}`];
      case 'input.delivered':
        return [`delivered ${textsOf(event.items)} to ${event.agent} in turn ${event.turn}`];
      case 'input.dropped':
        return [`dropped ${textsOf(event.items)}: ${event.reason}${event.guardrail ? ` (${event.guardrail})` : ''}`];
      default:
        return [];
    }
  });
}

const textsOf = (items: readonly object[]) => items.map((item) => ('content' in item ? item.content : '…')).join(' | ');
