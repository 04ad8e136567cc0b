/** O8, H3: hooks are called at least once: by the id of their effect they can tell that they are called again. */
import { Agent, type JournalEntry, MemoryJournal, Runner, handoff, resume } from 'loopchart';
import { calls, says, scriptedModel } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { counted } from '../support/cast.ts';

/** A runner that notes every hook with the id it was given. */
function noting(log: string[]): Runner {
  const runner = new Runner();
  const events = ['agent_start', 'agent_turn_start', 'agent_llm_start', 'agent_llm_end', 'agent_tool_start', 'agent_tool_end', 'agent_turn_end', 'agent_handoff', 'agent_end'] as const;
  for (const event of events) runner.on(event, (...told: unknown[]) => void log.push(`${event} ${idIn(told)}`));
  return runner;
}

const idIn = (told: readonly unknown[]) => (told.at(-1) as { effectId?: string } | undefined)?.effectId?.replace(/^run_hooked\//, '') ?? 'without id';

function desk(model: ReturnType<typeof scriptedModel>, body: unknown, told: string[]): Agent {
  const billing = new Agent({ name: 'Billing', model });
  const look = { ...counted('look', body).tool, effect: 'pure' as const };
  return new Agent({ name: 'Desk', model, tools: [look], handoffs: [handoff(billing, { onHandoff: (_context, _input, details) => void told.push(`onHandoff ${idIn([details])}`) })] });
}

const SCRIPT = [calls('look'), calls('transfer_to_Billing'), says('Billed.')];

test('H1, O8: every hook and onHandoff is given the id of the effect that it is part of', async () => {
  const log: string[] = [];
  await noting(log).run(desk(scriptedModel(...SCRIPT), 'seen', log), 'go', { runId: 'run_hooked' });
  expect(log).toEqual([
    'agent_start agent.1/turn.1/model#1', 'agent_turn_start agent.1/turn.1/model#1', 'agent_llm_start agent.1/turn.1/model#1', 'agent_llm_end agent.1/turn.1/model#1',
    'agent_tool_start agent.1/turn.1/toolCall.1.0/execute#1', 'agent_tool_end agent.1/turn.1/toolCall.1.0/execute#1', 'agent_turn_end agent.1/turn.1/conclude#1',
    'agent_turn_start agent.1/turn.2/model#1', 'agent_llm_start agent.1/turn.2/model#1', 'agent_llm_end agent.1/turn.2/model#1', 'agent_turn_end agent.1/turn.2/conclude#1',
    'onHandoff handoff.1#1', 'agent_handoff handoff.1#1',
    'agent_start agent.2/turn.3/model#1', 'agent_turn_start agent.2/turn.3/model#1', 'agent_llm_start agent.2/turn.3/model#1', 'agent_llm_end agent.2/turn.3/model#1',
    'agent_turn_end agent.2/turn.3/conclude#1', 'agent_end agent.2/agentEnd.3#1',
  ]);
});

test('H3, O8: after a crash hooks of recorded effects do not fire again; those of the effect that was at work do, with the same id', async () => {
  const journal = new MemoryJournal();
  const before: string[] = [];
  let begun!: () => void;
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  void noting(before).run(desk(scriptedModel(...SCRIPT), () => (begun(), new Promise(() => undefined)), []), 'go', { runId: 'run_hooked', journal });
  await isBegun;
  const entries: readonly JournalEntry[] = journal.read('run_hooked');
  const later = new MemoryJournal();
  later.append('run_hooked', { epoch: later.open('run_hooked').epoch, position: 0 }, entries);
  later.close();
  const after: string[] = [];
  await resume('run_hooked', { journal: later, agents: desk(scriptedModel(...SCRIPT.slice(1)), 'seen', []), runner: noting(after) });
  expect(before.at(-1)).toBe('agent_tool_start agent.1/turn.1/toolCall.1.0/execute#1');
  expect(after.slice(0, 3)).toEqual(['agent_tool_start agent.1/turn.1/toolCall.1.0/execute#1', 'agent_tool_end agent.1/turn.1/toolCall.1.0/execute#1', 'agent_turn_end agent.1/turn.1/conclude#1']);
  expect(after.filter((line) => before.slice(0, -1).includes(line))).toEqual([]);
});
