import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
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
 * busybox-static, one program that needs nothing else.
 */
export async function writeShellBase(from: ImageLayout, digest: string, folder: string): Promise<void> {
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
  const entries: readonly TarEntry[] = [toTarFile('bin/sh', shell, 0o755)]
  const archive = Buffer.concat(await Array.fromAsync(writeTar(entries)))
  const layer = await to.writeBlob(gzip(writeTar(entries)), MEDIA_TYPES.layerGzip)
  const [nodeDiff] = config.rootfs.diff_ids
  const own = {
    architecture: config.architecture,
    os: config.os,
    config: { Entrypoint: ['/usr/local/bin/node'], Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [nodeDiff, toDigest(archive)] },
  }
  const blob = await to.writeBlob(Buffer.from(JSON.stringify(own)), MEDIA_TYPES.config)
  const { annotations: _, ...base } = node
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: blob, layers: [base, layer] } as const
  await to.putManifest(manifest, { ref: 'base' })
}
