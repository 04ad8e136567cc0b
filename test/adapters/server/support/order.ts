/** What holds of the messages of every turn, in every test. */
import type { Message } from './client.ts';

interface Turn { open: Set<string>; over: Set<string>; isOver: boolean }

/** Of turns whose start the client has seen. */
export function orderProblems(messages: readonly Message[]): string[] {
  const turns = new Map<string, Turn>();
  const problems: string[] = [];
  for (const { method, params } of messages) {
    if (method === 'thread/closed') for (const id of turns.keys()) if (id.startsWith(`${params.threadId}/`)) turns.delete(id); // when it is opened again, a turn may go on
    if (method === 'turn/started') {
      if (turns.has(params.turn.id)) problems.push(`${params.turn.id} was started twice`);
      turns.set(params.turn.id, { open: new Set(), over: new Set(), isOver: false });
      continue;
    }
    const turn = turns.get(params?.turnId ?? params?.turn?.id);
    if (!turn) continue;
    if (turn.isOver && method?.startsWith('item/')) problems.push(`${method} after the end of its turn`);
    const id: string = params.item?.id ?? params.itemId;
    if (method === 'item/started') {
      if (turn.open.has(id) || turn.over.has(id)) problems.push(`${id} was started twice`);
      turn.open.add(id);
    } else if (method === 'item/completed') {
      if (!turn.open.delete(id)) problems.push(`${id} was completed and was not open`);
      turn.over.add(id);
    } else if (method === 'turn/completed') {
      for (const left of turn.open) problems.push(`${left} was left open`);
      turn.isOver = true;
    } else if (method?.startsWith('item/') && !turn.open.has(id)) problems.push(`${method} of ${id}, which is not open`);
  }
  return problems;
}
