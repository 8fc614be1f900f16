import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Descriptor, MEDIA_TYPES, parseImageConfig, parseManifest, toDigest } from '../../src/oci/index.ts'
import { runWell } from '../../tools/images/program.ts'
import { writeModel } from './model.ts'

const PROGRAM = resolve(import.meta.dirname, '..', '..', 'dist', 'regatta.js')

/** Puts an image with Node and its libraries, and nothing else, into the registry, for all to stand on. */
export async function pushBase(folder: string, skopeo: string, reference: string): Promise<void> {
  const [project, packed, layout] = [join(folder, 'project'), join(folder, 'packed'), join(folder, 'layout')]
  mkdirSync(join(project, 'model'), { recursive: true })
  writeFileSync(join(project, 'regatta.yaml'), 'name: base\n')
  writeModel(join(project, 'model', 'model.onnx'), 1024, 1)
  const pack = ['pack', '--cwd', project, '--model', 'model', '--output', packed]
  const digest = await runWell(process.execPath, [PROGRAM, ...pack])
  const read = (digest: string): unknown => JSON.parse(readFileSync(toBlobPath(packed, digest), 'utf8'))
  const manifest = parseManifest(read(digest))
  const { config, ...image } = parseImageConfig(read(manifest.config.digest))
  const [layer] = manifest.layers
  if (layer === undefined) throw new Error('The packed image has no layers')
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true })
  copyFileSync(toBlobPath(packed, layer.digest), toBlobPath(layout, layer.digest))
  const { architecture, created, os, rootfs } = image
  const stripped = { architecture, created, os, config: { Env: config.Env?.slice(0, 1) } }
  const written = writeBlob(layout, MEDIA_TYPES.config, {
    ...stripped,
    rootfs: { type: 'layers', diff_ids: rootfs.diff_ids.slice(0, 1) },
    history: [{ created, created_by: 'node' }],
  })
  const { mediaType, size } = layer
  const top = writeBlob(layout, MEDIA_TYPES.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: written,
    layers: [{ mediaType, digest: layer.digest, size }],
  })
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }))
  await runWell(skopeo, ['copy', '-q', '--dest-tls-verify=false', `oci:${layout}`, `docker://${reference}`])
}

function writeBlob(layout: string, mediaType: string, document: object): Descriptor {
  const content = Buffer.from(JSON.stringify(document))
  const digest = toDigest(content)
  writeFileSync(toBlobPath(layout, digest), content)
  return { mediaType, digest, size: content.byteLength }
}

const toBlobPath = (layout: string, digest: string): string => join(layout, 'blobs', digest.replace(':', '/'))
