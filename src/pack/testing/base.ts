/* An image to stand on: made here, small, for one processor or two. */
import {
  type Descriptor,
  gzip,
  type ImageConfig,
  type ImageLayout,
  MEDIA_TYPES,
  toDigest,
  toTarFile,
  writeTar,
} from '../../oci/index.ts'

/** The settings of an image to stand on. */
export type BaseSettings = ImageConfig['config']

/** What Docker's own Node image says of itself, as far as it matters here. */
export const NODE_SETTINGS: BaseSettings = {
  Entrypoint: ['docker-entrypoint.sh'],
  Cmd: ['node'],
  Env: ['PATH=/opt/node/bin:/usr/bin', 'NODE_ENV=development', 'NODE_VERSION=24.1.0'],
  WorkingDir: '/srv',
  ExposedPorts: { '9000/tcp': {} },
}

/** Enters an image under a name; for several processors as an index. Its first layer is the same on each. */
export async function writeBase(
  layout: ImageLayout,
  ref: string,
  architectures: readonly string[],
  settings: BaseSettings = NODE_SETTINGS,
): Promise<Descriptor> {
  const manifests: Descriptor[] = []
  for (const architecture of architectures) {
    const parts = [['etc/os-release', 'NAME=base\n'] as const, ['usr/bin/tool', architecture] as const]
    const layers: Descriptor[] = []
    const diffIds: string[] = []
    for (const [path, text] of parts) {
      const archive = async () => await Array.fromAsync(writeTar([toTarFile(path, Buffer.from(text))]))
      diffIds.push(toDigest(Buffer.concat(await archive())))
      layers.push(await layout.writeBlob(gzip(writeTar([toTarFile(path, Buffer.from(text))])), MEDIA_TYPES.layerGzip))
    }
    const config = { architecture, os: 'linux', config: settings, rootfs: { type: 'layers', diff_ids: diffIds } }
    const blob = await layout.writeBlob(Buffer.from(JSON.stringify(config)), MEDIA_TYPES.config)
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: blob, layers } as const
    const written = await layout.writeBlob(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.manifest)
    manifests.push({ ...written, platform: { architecture, os: 'linux' } })
  }
  const [only] = manifests
  if (manifests.length === 1 && only !== undefined) {
    await layout.enter(only, { ref })
    return only
  }
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }
  const root = await layout.writeBlob(Buffer.from(JSON.stringify(index)), MEDIA_TYPES.index)
  await layout.enter(root, { ref })
  return root
}
