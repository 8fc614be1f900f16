import type { Moved, TransferEvent } from '../oci/index.ts'
import { LAYER } from '../pack/index.ts'
import { toLiveLine } from './progress.ts'
import { toDuration, toShortDigest, toSize } from './terminal.ts'
import type { World } from './world.ts'

/** Tells on stderr how blobs come along. */
export interface MovingView {
  readonly onProgress: (event: TransferEvent) => void
  readonly clear: () => void
}

/** The rate of less is that of a request. */
const RATE_BYTES = 1_000_000
/** How one blob came to where it is now. */
const WORDS = { reused: 'there already', mounted: 'mounted', uploaded: 'done' } as const

/** One line while blobs move, with the rate and the time left; one that stays for each that has come. */
export function toMovingView(world: Pick<World, 'err' | 'terminal' | 'clock'>, word: string): MovingView {
  const line = toLiveLine(world)
  const blobs = new Map<string, TransferEvent>()
  const startedAt = new Map<string, number>()
  let firstAt: number | undefined
  return {
    onProgress(event) {
      const { digest, sizeBytes, state } = event
      blobs.set(digest, event)
      if (state === 'started') startedAt.set(digest, world.clock())
      else if (state === 'moving') {
        firstAt ??= world.clock()
        line.show(toMovingText(word, [...blobs.values()], world.clock() - firstAt))
      } else {
        const tookMs = world.clock() - (startedAt.get(digest) ?? world.clock())
        const hasRate = state === 'uploaded' && tookMs > 0 && sizeBytes >= RATE_BYTES
        const rate = hasRate ? `, ${toSize(Math.round((sizeBytes / tookMs) * 1000))}/s` : ''
        line.milestone(`${toShortDigest(digest)}  ${toSize(sizeBytes)}  ${WORDS[state]}${rate}`)
      }
    },
    clear: line.clear,
  }
}

function toMovingText(word: string, events: readonly TransferEvent[], elapsedMs: number): string {
  const moving = events.filter(({ state }) => state === 'started' || state === 'moving' || state === 'uploaded')
  const total = moving.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const sent = moving.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
  const rate = elapsedMs > 0 ? sent / elapsedMs : 0
  const left = rate > 0 ? `, ${toDuration((total - sent) / rate)} left` : ''
  return `${word} ${toSize(sent)} of ${toSize(total)}, ${toSize(Math.round(rate * 1000))}/s${left}`
}

/** What a push has left in a registry. */
export function toPushedLines(target: string, runtime: string | undefined): string {
  return `pushed ${target}\n${runtime === undefined ? '' : `pushed ${runtime}, which gateway and control run\n`}`
}

/** The document of `push --json`: of the image, and of the one without a model that was pushed beside it, if any. */
export function toPushedJson(reference: string, moved: Moved, runtime: string | undefined): string {
  return `${JSON.stringify({ ...toMovedDocument('push', reference, moved), runtime: runtime ?? null })}\n`
}

/** The document of `--json`. `size` is that of all layers, each once, as `pack` tells it. */
export function toMovedJson(verb: 'pull' | 'copy', reference: string, moved: Moved): string {
  return `${JSON.stringify(toMovedDocument(verb, reference, moved))}\n`
}

function toMovedDocument(verb: 'push' | 'pull' | 'copy', reference: string, moved: Moved): object {
  const { digest, mediaType, seconds, uploadedBytes } = moved
  const layers = moved.layers.map(layer => ({
    digest: layer.digest,
    size: layer.size,
    kind: layer.annotations[LAYER] ?? null,
    reused: layer.how !== 'uploaded',
  }))
  const size = layers.reduce((sum, layer) => sum + layer.size, 0)
  const moving = verb === 'pull' ? { uploadedBytes: 0, downloadedBytes: uploadedBytes } : { uploadedBytes }
  return { schema: `regatta/${verb}/v1`, reference, digest, mediaType, size, layers, ...moving, seconds }
}
