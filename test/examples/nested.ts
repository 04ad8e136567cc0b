import { Agent, run } from 'loopchart';

const translator = new Agent({ name: 'Translator', instructions: 'Translate into French.' });
const editor = new Agent({
  name: 'Editor',
  instructions: 'Write one line about the topic, in English and in French.',
  tools: [translator.asTool({ toolName: 'translate', toolDescription: 'Translates a text into French.' })],
});

const { finalOutput, state } = await run(editor, 'The sea.');
console.log(finalOutput, `(${state.usage.requests} requests)`); // those of the nested run are counted too
