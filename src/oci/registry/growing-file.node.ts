import { closeSync, openSync, read as readAt } from 'node:fs'
import { promisify } from 'node:util'
import type { Digest } from '../../core/brands.ts'
import type { BlobWatch } from '../blobs.node.ts'
import { toSlots } from './file-range.node.ts'

const read = promisify(readAt)

/** A file of known length that is read while somebody else writes it. */
export interface GrowingFile extends BlobWatch {
  /** Once it is whole; undefined where it never will be. */
  readonly digest: Promise<Digest | undefined>
  /** Reads it as far as it is written, and waits for more; fails where it ends too early. */
  readonly read: (onRead: (bytes: number) => void) => AsyncIterable<Uint8Array>
  readonly close: () => void
}

/** Follows a file that is not there yet. */
export function openGrowingFile(sizeBytes: number, signal: AbortSignal): GrowingFile {
  const { promise: digest, resolve: end } = Promise.withResolvers<Digest | undefined>()
  let descriptor: number | undefined
  let writtenBytes = 0
  let state: 'growing' | 'ended' | 'closed' = 'growing'
  let wake = (): void => undefined
  signal.addEventListener('abort', () => wake(), { once: true })
  const more = (): Promise<void> =>
    new Promise(resolve => {
      wake = resolve
    })
  return {
    digest,
    written(path, bytes) {
      // At once: it has this name only until it is whole.
      if (state === 'growing') descriptor ??= openSync(path, 'r')
      writtenBytes = bytes
      wake()
    },
    ended(blob) {
      if (state === 'growing') state = 'ended'
      end(blob?.digest)
      wake()
    },
    async *read(onRead) {
      const file = {
        read: async (slot: Buffer, offset: number, length: number, position: number) =>
          await read(descriptor ?? -1, slot, offset, length, position),
      }
      const slots = toSlots(file, sizeBytes)
      for (let at = 0; at < sizeBytes; ) {
        signal.throwIfAborted()
        if (at === writtenBytes && state === 'growing') await more()
        else if (at === writtenBytes) throw new Error(`the file ended at byte ${at} of ${sizeBytes}`)
        else {
          const part = await slots.read(at, writtenBytes - at)
          yield part
          at += part.byteLength
          onRead(at)
        }
      }
    },
    close() {
      state = 'closed'
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}
