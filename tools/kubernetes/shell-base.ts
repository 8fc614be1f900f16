import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Descriptor,
  gzip,
  type ImageLayout,
  MEDIA_TYPES,
  openLayout,
  parseImageConfig,
  type TarEntry,
  toDigest,
  toTarFile,
  writeTar,
} from '../../src/oci/index.ts'

/** Annotation of a layer that says what it holds. */
const LAYER = 'dev.regatta.layer'

/**
 * Writes a layout with an image to stand on: the Node of another image's base, and a shell. The shell is Debian's
 * busybox-static, one program that needs nothing else. With `others` it is an index, whose images for those processors
 * hold programs that start nowhere else.
 */
export async function writeShellBase(
  from: ImageLayout,
  digest: string,
  folder: string,
  others: readonly Architecture[] = [],
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const to = await openLayout(folder)
  const entry = await from.resolve(digest)
  if (entry === undefined) throw new Error(`There is no image ${digest} in ${from.folder}`)
  const image = await from.readManifest(entry.digest)
  const [node] = image.layers.filter(layer => layer.annotations?.[LAYER] === 'base')
  if (node === undefined) throw new Error(`Image ${digest} has no layer of its base`)
  const config = parseImageConfig(JSON.parse(new TextDecoder().decode(await from.readBlob(image.config.digest))))
  await to.writeBlob(from.openBlob(node.digest), node.mediaType)
  const shell = readFileSync(join('/bin', 'busybox'))
  const { annotations: _, ...base } = node
  const layers: readonly Layer[] = [
    { descriptor: base, diffId: config.rootfs.diff_ids[0] ?? '' },
    await writeLayer(to, [toTarFile('bin/ls', shell, 0o755), toTarFile('bin/sh', shell, 0o755)]),
  ]
  const own = { ...(await writeImage(to, config.architecture, layers)), platform: toPlatform(config.architecture) }
  const images = [own]
  for (const architecture of others) {
    const foreign = await writeLayer(to, [toTarFile('usr/local/bin/node', toForeignProgram(architecture), 0o755)])
    images.push({ ...(await writeImage(to, architecture, [...layers, foreign])), platform: toPlatform(architecture) })
  }
  await to.enter(images.length === 1 ? own : await writeIndex(to, images), { ref: 'base' })
}

/** Writes an index of images that are there. */
export async function writeIndex(to: ImageLayout, manifests: readonly Descriptor[]): Promise<Descriptor> {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }
  return await to.writeBlob(Buffer.from(JSON.stringify(index)), MEDIA_TYPES.index)
}

/** Processors, with their numbers in a program. Source: System V ABI, "Object Files", e_machine. */
const MACHINES = { arm64: 183 } as const
type Architecture = keyof typeof MACHINES

interface Layer {
  readonly descriptor: Descriptor
  readonly diffId: string
}

async function writeLayer(to: ImageLayout, entries: readonly TarEntry[]): Promise<Layer> {
  const archive = Buffer.concat(await Array.fromAsync(writeTar(entries)))
  return { descriptor: await to.writeBlob(gzip(writeTar(entries)), MEDIA_TYPES.layerGzip), diffId: toDigest(archive) }
}

async function writeImage(to: ImageLayout, architecture: string, layers: readonly Layer[]): Promise<Descriptor> {
  const config = {
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/usr/local/bin/node'], Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  }
  const blob = await to.writeBlob(Buffer.from(JSON.stringify(config)), MEDIA_TYPES.config)
  const descriptors = layers.map(({ descriptor }) => descriptor)
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: blob, layers: descriptors }
  return await to.writeBlob(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.manifest)
}

function toPlatform(architecture: string): { readonly architecture: string; readonly os: 'linux' } {
  return { architecture, os: 'linux' }
}

/** The head of a 64-bit program, which is all that a kernel of another processor reads. */
function toForeignProgram(architecture: Architecture): Uint8Array {
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(MACHINES[architecture], 18)
  head.writeUInt32LE(1, 20)
  return head
}
