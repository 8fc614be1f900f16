import { dirname, join } from 'node:path'
import type { Installation } from './world.ts'

/** The version of this regatta: that of package.json (a test compares them). */
export const VERSION = '0.1.0'

/** Where things lie below the package's folder: TypeScript as it stands in the repository, bundles elsewhere. */
export function toInstallation(root: string, fromSource: boolean, node: string): Installation {
  const entry = (source: string, bundle: string): readonly string[] => [node, join(root, fromSource ? source : bundle)]
  return {
    version: VERSION,
    node,
    regatta: entry('bin/regatta.ts', 'dist/regatta.js'),
    server: entry('src/serve/main.ts', 'dist/runtime/server.js'),
    gateway: entry('src/route/main.ts', 'dist/runtime/gateway.js'),
    runtimeFolder: join(root, 'dist', 'runtime'),
    prebuiltFolder: join(root, 'dist', 'prebuilt'),
    templateFolder: join(root, 'examples', 'forecast'),
  }
}

/** The folder of the running Node, for the PATH of training commands. */
export function toNodeFolder(installation: Installation): string {
  return dirname(installation.node)
}
