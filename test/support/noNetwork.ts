/** Nothing in the tests may leave this machine: a request to anything but loopback is a bug in the test. */
const realFetch = globalThis.fetch;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (!LOOPBACK.has(url.hostname)) throw new Error(`A test tried to reach ${url.hostname}. Tests use loopback only.`);
  return realFetch(input, init);
};
