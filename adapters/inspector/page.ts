/**
 * The page that puts the Stately viewer and this machine together: it receives from the relay that served it and passes on to
 * the viewer in its frame, once that says it is there, and to nobody else.
 */
export function inspectorPage(viewer: string, nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>loopchart in the Stately inspector</title>
<style nonce="${nonce}">html, body, iframe { margin: 0; width: 100%; height: 100%; border: 0 }</style>
<iframe title="Stately inspector" referrerpolicy="no-referrer"></iframe>
<script nonce="${nonce}">
  const viewer = ${asScript(viewer)};
  const origin = new URL(viewer).origin;
  const frame = document.querySelector('iframe');
  addEventListener('message', (message) => {
    if (message.source !== frame.contentWindow || message.origin !== origin) return;
    // The relay announces every actor to whoever connects, so the viewer misses nothing that came before it.
    if (message.data?.type === '@statelyai.connected') connect();
  });
  let socket;
  function connect() {
    socket?.close();
    socket = new WebSocket('ws://' + location.host + location.pathname + location.search);
    socket.onmessage = ({ data }) => frame.contentWindow.postMessage(JSON.parse(data), origin);
  }
  frame.src = viewer;
</script>
</html>
`;
}

/** A string literal that cannot end the script element it stands in. */
function asScript(text: string): string {
  return JSON.stringify(text).replaceAll('<', '\\u003c');
}
