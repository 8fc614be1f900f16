import type { LoopReport, PackedImage, PackedLayer } from '../pack/index.ts'
import { toShortDigest, toSize, toTable } from './terminal.ts'

/** The layers of a packed image for people: kind, size, digest, and whether it was there already. */
export function toPackedLines(packed: PackedImage): string {
  const rows = packed.layers.map(layer => [
    toKind(layer),
    toSize(layer.sizeBytes),
    toShortDigest(layer.digest),
    layer.reused ? 'reused' : 'new',
  ])
  return toTable(['LAYER', 'SIZE', 'DIGEST', ''], rows) + toSumLines(packed)
}

/** What became of the model's loops, a line each. */
export function toLoopLines({ loops: report }: Pick<PackedImage, 'loops'>): string {
  if (report === null) return ''
  const { comparison, loops, problem } = report
  const lines = loops.map(({ name, operator, reason }) => {
    if (operator === null) return `the Loop "${name}" stays as it is: ${reason}`
    if (comparison === null)
      return `the Loop "${name}" is an ${operator}, and stays as it is: with that operator, ${problem}`
    return `the Loop "${name}" is an ${operator}, and is rewritten to that operator`
  })
  return [...lines, ...(comparison === null ? [] : [toComparisonText(comparison)])]
    .map(line => `model.onnx: ${line}\n`)
    .join('')
}

function toComparisonText({ afterMs, beforeMs, inputs }: NonNullable<LoopReport['comparison']>): string {
  const [before, after] = [beforeMs, afterMs].map(ms => `${Math.round(ms * 1000)} µs`)
  const ratio = (beforeMs / afterMs).toFixed(1)
  return `a run took at least ${before}, and now ${after} (${ratio}x); both answer ${inputs} random inputs alike, to 1e-5`
}

/** What each layer costs, and why it is there. */
export function toExplainedLines(packed: PackedImage): string {
  const rows = packed.layers.map(layer => {
    const { content, sizeBytes, why } = layer
    const files = content === null ? '' : String(content.files)
    const inside = content === null ? '' : toSize(content.bytes)
    return [toKind(layer), toSize(sizeBytes), toShare(sizeBytes, packed.sizeBytes), inside, files, why]
  })
  const modelBytes = packed.layers
    .filter(({ kind }) => kind === 'model')
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const rest = `${toSize(packed.sizeBytes - modelBytes)} without the model\n`
  return toTable(['LAYER', 'SIZE', 'SHARE', 'UNPACKED', 'FILES', 'WHY'], rows) + toSumLines(packed) + rest
}

/** The document of `pack --json`. Sizes in bytes, shares from 0 to 1. */
export function toPackedJson(packed: PackedImage, seconds: number, explain: boolean): object {
  const { digest, layers, loops, mediaType, reference, repaired, run, sizeBytes, version } = packed
  return {
    schema: 'regatta/pack/v1',
    ...{ version, run, reference, digest, mediaType, size: sizeBytes },
    layers: layers.map(layer => ({
      ...{ digest: layer.digest, size: layer.sizeBytes, kind: layer.kind, reused: layer.reused },
      ...(layer.platform !== null && { platform: layer.platform }),
      ...(explain && { why: layer.why, share: sizeBytes === 0 ? 0 : layer.sizeBytes / sizeBytes }),
      ...(explain && layer.content !== null && { files: layer.content.files, unpacked: layer.content.bytes }),
    })),
    uploadedBytes: 0,
    ...{ seconds, repaired, loops },
  }
}

function toSumLines({ repaired, sizeBytes, version }: PackedImage): string {
  const mended = repaired.map(digest => `${toShortDigest(digest)} was damaged and is made again\n`).join('')
  return `${mended}version ${version}, ${toSize(sizeBytes)}\n`
}

function toKind({ kind, platform }: PackedLayer): string {
  return platform === null ? kind : `${kind} ${platform}`
}

function toShare(size: number, all: number): string {
  return `${Math.round((all === 0 ? 0 : size / all) * 100)} %`
}
