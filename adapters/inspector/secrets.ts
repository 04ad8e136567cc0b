/** Keys whose value is never shown, whatever it is: in camel case, snake case, or as a header. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.replaceAll(/[-_\s]/g, ''));
}

/**
 * Text with everything that looks like a credential taken out, then cut to `most` characters.
 *
 * The credentials go first: cut first, half of one would no longer look like one. Of a long text only a little more than
 * what is shown is read, so that the cost does not grow with the text.
 */
export function safeText(text: string, most: number): string {
  if (text.length <= most) return withoutCredentials(text);
  const head = text.slice(0, most + LOOKAHEAD);
  // The last word may be the first half of a credential, and moves into view when something before it is taken out.
  const whole = head.slice(0, Math.max(0, head.lastIndexOf(' '), head.lastIndexOf('\n')));
  return `${withoutCredentials(whole).slice(0, most)}… (${text.length} characters)`;
}

const REDACTED = '[redacted]';

/** Beyond what is shown, so that a credential that begins inside and ends outside is seen whole enough to be known. */
const LOOKAHEAD = 512;

/** Singular on purpose: `inputTokens` and `maxTokens` are counts. */
const SECRET_KEY =
  /apikey|accesskey|privatekey|signingkey|authorization|passw(?:or)?d|passphrase|secret|credential|cookie|bearer|token$|headers?$|^env(?:ironment|vars?)?$|^auth$|^pwd$/i;

const CREDENTIALS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:bearer|basic)\s+[\w.~+/=-]{6,}/gi,
  /\b[spr]k[-_][\w-]{6,}/g,
  /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|hf_|npm_)[\w-]{10,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /(?<=:\/\/)[^\s/:@]+:[^\s/@]+(?=@)/g,
  /(?<=(?:api[-_ ]?key|access[-_]?key|passw(?:or)?d|secret|token)\\{0,3}["']?\s{0,3}[:=]\s{0,3}\\{0,3}["']?)[^\s"',;&\\]{6,}/gi,
];

function withoutCredentials(text: string): string {
  return CREDENTIALS.reduce((shown, credential) => shown.replace(credential, REDACTED), text);
}
