import { join, resolve } from 'node:path'
import { build } from 'rolldown'

/** Bundles the writer into a folder, as control is bundled for its image; returns the bundle's path. */
export async function bundleWriter(folder: string): Promise<string> {
  await build({
    cwd: resolve(import.meta.dirname, '../..'),
    input: join(import.meta.dirname, 'writer.ts'),
    platform: 'node',
    logLevel: 'warn',
    output: {
      dir: folder,
      entryFileNames: 'writer.mjs',
      format: 'esm',
      codeSplitting: false,
      minify: true,
      keepNames: true,
    },
  })
  return join(folder, 'writer.mjs')
}
