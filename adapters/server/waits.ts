/** A call that waited before its thread was opened here. */
import type { RunToolApprovalItem } from '../../actors/approvalItem.ts';
import type { AskedQuestion, Wait } from './asks.ts';

export function waitOf(item: RunToolApprovalItem, at: number): Wait {
  const { id, path, agent, rawItem, name, expiresAt, uncertain } = item;
  const { questions, reason } = item as { questions?: readonly AskedQuestion[]; reason?: string };
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
