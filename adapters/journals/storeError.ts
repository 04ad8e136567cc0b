/** A journal cannot do its work, for a reason outside of it. The message says what to do; the `cause` is what the system said. */
export class JournalStoreError extends Error {
  static { this.prototype.name = 'JournalStoreError'; }
}

/** Of a journal that was made with `readOnly`. */
export const lookingOnly = (): JournalStoreError => new JournalStoreError('This journal was opened with readOnly, for looking only. Make one without it to write.');
