import type { Writable } from 'node:stream'

/** Waits until a full stream takes more, or has closed. */
export function drained(stream: Writable): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.once('drain', done)
    stream.once('close', done)
  })
}
