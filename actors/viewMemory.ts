/** What a view of a run or a thread knows of what is not over yet, as JSON: so that numbers go on where they were (I1). */
import type { AgentInputItem } from '../machines/protocol/item.ts';

/** By the paths of turns and calls. */
export interface ViewParts {
  turns: Map<string, { number: number; deltas: number }>;
  open: Map<string, Map<string, { agent: string; item: AgentInputItem }>>;
  atWork: Map<string, { number: number; reports: number }>;
  bodies: Map<string, string>;
  begun: Set<string>;
}

export interface ViewMemory {
  /** Events that have been told. */
  count: number;
  turns: [string, { number: number; deltas: number }][];
  open: [string, [string, { agent: string; item: AgentInputItem }][]][];
  atWork: [string, { number: number; reports: number }][];
  bodies: [string, string][];
  begun: string[];
}

export const memoryOf = (count: number, { turns, open, atWork, bodies, begun }: ViewParts): ViewMemory => ({
  count,
  turns: [...turns],
  open: [...open].map(([path, items]) => [path, [...items]]),
  atWork: [...atWork],
  bodies: [...bodies],
  begun: [...begun],
});

export function recalled({ turns, open, atWork, bodies, begun }: ViewMemory, parts: ViewParts): void {
  for (const [path, turn] of turns) parts.turns.set(path, turn);
  for (const [path, items] of open) parts.open.set(path, new Map(items));
  for (const [path, call] of atWork) parts.atWork.set(path, call);
  for (const [path, agent] of bodies) parts.bodies.set(path, agent);
  for (const path of begun) parts.begun.add(path);
}
