import { Agent, run } from 'loopchart';
import { statelyInspector } from 'loopchart/inspector';

const inspector = await statelyInspector(); // a relay on this machine; conversations are cut and secrets redacted before they leave the process
console.log(`Open ${inspector.page}`);

const agent = new Agent({ name: 'Assistant' });
const { finalOutput } = await run(agent, 'Hello', { inspect: inspector.inspect });
console.log(finalOutput);
await inspector.close();
