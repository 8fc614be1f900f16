import { isObject } from '../../core/json.ts'
import type { EntryOptions } from '../entry.ts'
import type { ImageLayout } from '../layout.node.ts'
import { choosePlatform, type Document } from './document.ts'
import { toLayoutSink } from './image.node.ts'
import type { PullOptions } from './options.ts'
import type { OpenSource } from './source.node.ts'
import { type Transferred, type TransferWish, transferImage } from './transfer.ts'

/** Stores an image in a layout, and what is about it. @throws as `pullImage` */
export async function storeIn(
  open: OpenSource,
  layout: ImageLayout,
  name: string | undefined,
  options: PullOptions,
  signal: AbortSignal,
): Promise<Transferred> {
  const root = await choose(open, options)
  const { source } = open
  const wish: TransferWish = { onEvent: options.onProgress ?? (() => undefined), signal }
  const named = (await options.toEntry?.(root, open.root)) ?? {
    ...(name !== undefined && { ref: name }),
    annotations: root.annotations,
  }
  const sink = toLayoutSink(layout, async document => ({
    ...(document === root ? named : { annotations: document.annotations }),
    ...(await readPlatform(layout, document)),
  }))
  const stored = await transferImage(source, sink, root, wish)
  for (const { digest } of await open.listAbout(root.descriptor.digest)) {
    await transferImage(source, sink, await source.readDocument(digest), wish)
  }
  return stored
}

/** The image itself, or that of an index for the wished platform. @throws PLATFORM_NONE */
export async function choose({ root, source, where }: OpenSource, { platform }: PullOptions): Promise<Document> {
  if (platform === undefined || !root.isIndex) return root
  return await source.readDocument(choosePlatform(root, platform, where).digest)
}

/** What an image runs on stands in its config; artifacts have none. */
async function readPlatform(layout: ImageLayout, { blobs }: Document): Promise<Pick<EntryOptions, 'platform'>> {
  const config = blobs[0]
  if (config === undefined || !/image(\.config)?\.v1\+json$/.test(config.mediaType)) return {}
  const value: unknown = JSON.parse(new TextDecoder().decode(await layout.readBlob(config.digest)))
  if (!isObject(value) || typeof value['os'] !== 'string' || typeof value['architecture'] !== 'string') return {}
  return { platform: { os: value['os'], architecture: value['architecture'] } }
}
