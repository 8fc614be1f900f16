/** What the local target did by itself, for a log. */
export type LocalEvent =
  /** A process of a supervisor that crashed was found and stopped. */
  | { readonly kind: 'leftover-stopped'; readonly process: string; readonly pid: number }
  /** A pid file could not be read and was removed; its process, if any, is found by its environment. */
  | { readonly kind: 'record-broken'; readonly process: string; readonly reason: string }
  | { readonly kind: 'started'; readonly process: string; readonly pid: number }
  | { readonly kind: 'failed'; readonly process: string; readonly code: string; readonly reason: string }
  | { readonly kind: 'stopped'; readonly process: string }
  /** A child sent what is no message of the supervisor's protocol; it had no effect. */
  | { readonly kind: 'message-unknown'; readonly process: string; readonly text: string }
  /** Work that nobody waits for went wrong: rotating a log, removing a model that no replica uses, a listener. */
  | { readonly kind: 'upkeep-failed'; readonly subject: string; readonly reason: string }
