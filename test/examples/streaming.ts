import { Agent, run } from 'loopchart';

const agent = new Agent({ name: 'Storyteller', instructions: 'Tell very short stories.' });

const stream = await run(agent, 'A story about a lighthouse.', { stream: true });
for await (const event of stream) {
  if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') console.log(event.data.delta);
  if (event.type === 'run_item_stream_event') console.log(`[${event.name}]`);
}
await stream.completed; // rejects if the run failed; leaving the loop early would have interrupted it
console.log(stream.finalOutput);
