/** How a run has ended, below what it has said. */
import type { Ending } from '../conversation.ts';
import { outputText } from '../plainOutput.ts';
import { secondsText, usageText, wayOnText } from '../wording.ts';
import type { Terminal } from './terminal.ts';

/** @param options.hasText its output is on the page already. */
export function tellEnding(terminal: Terminal, ending: Ending, { hasText, tellsWayOn }: { hasText: boolean; tellsWayOn: boolean }): void {
  const { screen } = terminal;
  screen.line('');
  if (ending.status === 'completed' && !hasText && ending.output !== undefined) screen.line(outputText(ending.output));
  if (ending.status === 'failed') terminal.trouble(ending.error);
  if (ending.status === 'interrupted') screen.line('  interrupted', 'notice');
  if (ending.status === 'stopped') screen.line('  stopped after this turn', 'notice');
  if (tellsWayOn && ending.wayOn !== undefined) screen.unbroken(`  ${wayOnText(ending)}`, 'notice');
  screen.line(`  ${ending.agent}: ${usageText(ending.spent)}, ${secondsText(ending.ms)}`, 'quiet');
  screen.space();
}
