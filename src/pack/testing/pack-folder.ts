/* Packs a folder in a process of its own: `node pack-folder.ts LAYOUT CACHE RUNTIME PROGRAM FOLDER`, prints the image. */
import { parseProject } from '../../config/index.ts'
import { openLayout } from '../../oci/index.ts'
import { packImage } from '../index.ts'

const [layout = '', cacheFolder = '', runtimeFolder = '', node = '', folder = ''] = process.argv.slice(2)
const packed = await packImage(
  {
    project: parseProject('name: forecast', { folder: '/nowhere', env: {} }),
    source: { kind: 'folder', folder },
    layout: await openLayout(layout),
    cacheFolder,
    runtimeFolder,
    node,
    sourceDateEpoch: undefined,
    registry: { env: {}, clock: Date.now },
  },
  new AbortController().signal,
)
console.log(JSON.stringify(packed))
