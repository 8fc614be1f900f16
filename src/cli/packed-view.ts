import type { PackedImage } from '../pack/index.ts'
import { toShortDigest, toSize, toTable } from './terminal.ts'

/** The layers of a packed image for people: kind, size, digest, and whether it was there already. */
export function toPackedLines(packed: PackedImage): string {
  const rows = packed.layers.map(({ digest, kind, reused, sizeBytes }) => [
    kind,
    toSize(sizeBytes),
    toShortDigest(digest),
    reused ? 'reused' : 'new',
  ])
  return `${toTable(['LAYER', 'SIZE', 'DIGEST', ''], rows)}version ${packed.version}, ${toSize(packed.sizeBytes)}\n`
}
