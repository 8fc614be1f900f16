import { open } from 'node:fs/promises'

const SLOTS = 4
const SLOT_BYTES = 1024 * 1024

/** Where a part of a file is read, and into what: the same few slots of memory, over and over. */
export interface Slots {
  /** The next part of at most `bytes` bytes, from byte `at` on; empty at the end of the file. */
  readonly read: (at: number, bytes: number) => Promise<Uint8Array>
}

/** A file that can be read. */
interface Readable {
  read(slot: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
}

/**
 * Reads a file into slots: left to the collector, what was sent would pile up to 64 MiB. A slot is longer than what a
 * socket takes before it asks to wait, so that one is on its way and at most two more are in line when the next is
 * filled.
 */
export function toSlots(file: Readable, mostBytes: number): Slots {
  const slots: Buffer[] = []
  let turn = 0
  return {
    async read(at, bytes) {
      const slot = slots[turn] ?? Buffer.allocUnsafeSlow(Math.min(SLOT_BYTES, mostBytes))
      slots[turn] = slot
      turn = (turn + 1) % SLOTS
      const { bytesRead } = await file.read(slot, 0, Math.min(slot.byteLength, bytes), at)
      return slot.subarray(0, bytesRead)
    },
  }
}

/** Reads a part of a file; what it yields is good until three more parts have been asked for. */
export async function* readFileRange(path: string, start: number, end: number): AsyncIterable<Uint8Array> {
  await using file = await open(path)
  const slots = toSlots(file, end - start)
  for (let at = start; at < end; ) {
    const part = await slots.read(at, end - at)
    if (part.byteLength === 0) return
    at += part.byteLength
    yield part
  }
}
