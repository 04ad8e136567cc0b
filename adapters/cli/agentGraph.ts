/** The agents that one leads to, through any number of handoffs. */
import type { Agent } from '../../actors/agent.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

/** Itself first; each once. */
export function agentsFrom(agent: AnyAgent): AnyAgent[] {
  const found = new Set([agent]);
  for (const one of found) for (const target of one.handoffs) found.add('agent' in target ? target.agent : target); // a set hands out what is added meanwhile
  return [...found];
}
