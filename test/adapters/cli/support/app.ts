/** An app of somebody's own that records a run: node app.ts AGENT_FILE WHERE MESSAGE. */
import { loadAgentFile } from '../../../../adapters/cli/agentFile.ts';
import { openJournal } from '../../../../adapters/cli/journal/place.ts';
import { openStage } from '../../../../adapters/cli/stage.ts';

const [agentFile = '', where = '', message = ''] = process.argv.slice(2);
const agent = await loadAgentFile(agentFile);
const { runner, provider } = await openStage({ agentFile, json: true, debug: false }, agent);
const { journal } = await openJournal(where, 'record');
await runner.run(agent, message, { journal, threadId: 'shop' });
await journal.close();
await provider.close();
