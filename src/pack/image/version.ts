import { type Digest, parseDigest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import type { Annotations, ImageLayout, IndexEntry } from '../../oci/index.ts'

/** Annotations of a packed image, in its manifest and in the layout's index. */
export const MODEL = 'dev.regatta.model'
/** Number of the version, 1 or more. */
export const VERSION = 'dev.regatta.version'
/** Digest of the run record's manifest; absent where a folder was packed. */
export const RUN = 'dev.regatta.run'
/** Digest of the model's file as its run left it; absent where the image holds that very file. */
export const REWRITTEN = 'dev.regatta.rewritten'
/** In the index alone: a digest of all that went into the image but its version. */
export const RECIPE = 'dev.regatta.recipe'
/** When it was packed. Source: OCI image spec 1.1, annotations.md. */
export const CREATED = 'org.opencontainers.image.created'

/** A packed version of a model. */
export interface Version {
  /** 1 or more; given once for each model of a layout. */
  readonly version: number
  /** Of the image's manifest. */
  readonly digest: Digest
  /** Digest of the run record; null for a folder that was packed. */
  readonly run: Digest | null
  /** When its run ended, or what SOURCE_DATE_EPOCH said; epoch ms. */
  readonly createdAt: number
}

/** The versions of a model in a layout, oldest first. @throws MANIFEST, VERSION_RECORD */
export async function listVersions(layout: ImageLayout, model: string): Promise<readonly Version[]> {
  return (await listEntries(layout, model)).map(({ version }) => version)
}

/** A version of the model with this recipe, if there is one, and the next free number. @throws as `listVersions` */
export async function findVersion(
  layout: ImageLayout,
  model: string,
  recipe: Digest,
): Promise<{ readonly same: Version | undefined; readonly next: number }> {
  const entries = await listEntries(layout, model)
  return {
    same: entries.find(({ annotations }) => annotations[RECIPE] === recipe)?.version,
    next: Math.max(0, ...entries.map(({ version }) => version.version)) + 1,
  }
}

async function listEntries(
  layout: ImageLayout,
  model: string,
): Promise<readonly { readonly version: Version; readonly annotations: Annotations }[]> {
  const entries = await layout.list({ annotations: { [MODEL]: model } })
  return entries
    .filter(({ annotations }) => annotations[VERSION] !== undefined)
    .map(entry => ({ version: parseVersion(entry), annotations: entry.annotations }))
    .sort((a, b) => a.version.version - b.version.version)
}

function parseVersion({ annotations, digest }: IndexEntry): Version {
  const text = annotations[VERSION] ?? ''
  const run = annotations[RUN]
  const createdAt = Date.parse(annotations[CREATED] ?? '')
  if (!/^[1-9]\d{0,8}$/.test(text) || Number.isNaN(createdAt)) {
    throw new RegattaError('VERSION_RECORD', `Cannot read version "${text}" of an image in the layout's index`, {
      where: digest,
      fix: `Mend the annotations ${VERSION} and ${CREATED} of that entry, or delete it`,
    })
  }
  return { version: Number(text), digest, run: run === undefined ? null : parseDigest(run), createdAt }
}
