import { access, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { RegattaError } from '../core/errors.ts'
import { type EntryOptions, type ImageLayout, type IndexEntry, openLayout, REF_NAME } from '../oci/index.ts'
import { copyImage } from './copy.ts'
import type { PackedImage } from './image/packed.ts'
import { lockVersions } from './lock.node.ts'

/**
 * Copies a packed image into the layout of a folder, which is made where it is not there and then holds nothing but
 * the image. @throws VERSION_TAKEN where the layout has another image of that name; DISK_FULL, LAYOUT_FOREIGN
 */
export async function copyOut(
  from: ImageLayout,
  { digest, reference }: PackedImage,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const isNew = !(await isThere(join(folder, 'oci-layout')))
  const to = await openLayout(folder)
  {
    await using _lock = await lockVersions(to, signal)
    const holder = await to.resolve(reference)
    if (holder !== undefined && holder.digest !== digest) {
      throw new RegattaError(
        'VERSION_TAKEN',
        `Cannot write "${reference}" into "${to.folder}": it holds another image of that name`,
        { where: holder.digest, fix: 'Name another layout' },
      )
    }
    const entry = await from.resolve(reference)
    if (entry !== undefined) await copyImage(from, to, entry, toOptions(entry), signal)
  }
  if (isNew) await tidyLayout(folder)
}

/** Takes away what was needed to make the layout and is no part of it. */
export async function tidyLayout(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.endsWith('.lock')) await rm(join(folder, name))
  // Where another process writes a blob, the folder is not empty and stays.
  await rmdir(join(folder, 'ingest')).catch(() => undefined)
}

function toOptions({ annotations, platform }: IndexEntry): EntryOptions {
  const { [REF_NAME]: ref, ...rest } = annotations
  return { annotations: rest, ...(ref !== undefined && { ref }), ...(platform !== undefined && { platform }) }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
