import { randomFillSync } from 'node:crypto'
import { toUuidV7 } from '../../core/uuid.ts'

const RANDOM_BYTES = 10
// One call to the system's generator costs more than all else about an id: a page of bytes serves 400 ids.
const page = Buffer.alloc(RANDOM_BYTES * 400)
let at = page.byteLength

/** Mints the id of a request that arrived at `now` (epoch ms). */
export function mintPredictionId(now: number): string {
  if (at === page.byteLength) {
    randomFillSync(page)
    at = 0
  }
  at += RANDOM_BYTES
  return toUuidV7(now, page.subarray(at - RANDOM_BYTES, at))
}
