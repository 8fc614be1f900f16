import { parseDigest, parseVariantName } from '../../../core/brands.ts'
import { RegattaError } from '../../../core/errors.ts'
import { openLayout } from '../../../oci/index.ts'
import { extractModel } from '../models.node.ts'

/* Extracts a model in a process of its own: LAYOUT DIGEST FOLDER. Prints what it throws as JSON. */
const [layout = '', digest = '', folder = ''] = process.argv.slice(2)
const variant = { id: 1, name: parseVariantName('a'), version: 1, digest: parseDigest(digest), replicas: 1 }
try {
  await extractModel(await openLayout(layout), folder, variant, AbortSignal.timeout(60_000))
} catch (error) {
  if (!(error instanceof RegattaError)) throw error
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message, fix: error.fix }))
}
