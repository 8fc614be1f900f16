import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Descriptor, type ImageLayout, MEDIA_TYPES, openLayout } from '../../index.ts'
import type { RegistryOptions } from '../exchange.node.ts'

/** A layout in a folder of its own, gone at disposal. */
export interface TestPlace extends AsyncDisposable {
  readonly folder: string
  readonly layout: ImageLayout
}

/** Makes an empty layout. */
export async function openTestPlace(): Promise<TestPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'regatta-registry-'))
  return {
    folder,
    layout: await openLayout(join(folder, 'oci')),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What a test's client knows: no proxy, no credentials of whoever runs it, and short waits. */
export function toTestOptions(folder: string, env: Readonly<Record<string, string>> = {}): RegistryOptions {
  return {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder, ...env },
    clock: Date.now,
    patienceMs: 5000,
    retry: { attempts: 4, firstMs: 5 },
  }
}

/** Writes an image of random layers of the given lengths; returns its manifest's descriptor. */
export async function writeTestImage(
  layout: ImageLayout,
  sizes: readonly number[],
  architecture = 'amd64',
): Promise<Descriptor> {
  const layers: Descriptor[] = []
  for (const size of sizes) layers.push(await layout.writeBlob(randomBytes(size), MEDIA_TYPES.layer))
  const config = {
    architecture,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(l => l.digest) },
  }
  const blob = await layout.writeBlob(Buffer.from(JSON.stringify(config)), MEDIA_TYPES.config)
  return await layout.putManifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: blob, layers })
}
