/** A call that waited before its thread was opened here. */
import type { RunToolApprovalItem } from '../../actors/approvalItem.ts';
import type { Wait } from './asks.ts';

export function waitOf({ id, path, agent, rawItem, name, expiresAt, uncertain, questions, reason }: RunToolApprovalItem, at: number): Wait {
  return {
    id,
    itemId: path.join('/run/'),
    agent: agent.name,
    item: rawItem,
    name: name ?? '',
    at,
    ...(uncertain && { uncertain }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(questions && { questions }),
    ...(reason !== undefined && { reason }),
  };
}
