import type { VerifiedImage, VerifiedPlatform } from '../pack/index.ts'
import { toSize } from './terminal.ts'
import { toParamsText } from './training-view.ts'

/** One document of a verified image. */
export function toVerifiedJson({ about, annotations, digest, platforms, problems, run }: VerifiedImage): string {
  return `${JSON.stringify({
    schema: 'regatta/verify/v1',
    ok: problems.length === 0,
    digest,
    annotations,
    problems,
    platforms: platforms.map(({ config, digest, layers, sbom }) => ({
      digest,
      platform: config === undefined ? null : `${config.os}/${config.architecture}`,
      user: config?.config.User ?? null,
      layers: layers.map(({ digest, elsewhere = null, kind = null, sizeBytes: size }) => ({
        digest,
        size,
        kind,
        elsewhere,
      })),
      sbom: sbom === undefined ? null : { digest: sbom.digest, packages: sbom.packages },
    })),
    run: run === undefined ? null : { digest: run.digest, record: run.record },
    about,
  })}\n`
}

/** Where a verified image comes from, for people. */
export function toVerifiedLines(image: VerifiedImage): string {
  const { annotations, digest, platforms } = image
  const original = annotations['dev.regatta.rewritten']
  const rewritten = original === undefined ? [] : [`  model      rewritten by regatta from ${original}`]
  const model = annotations['dev.regatta.model']
  const name = model === undefined ? [] : [`${model}, version ${annotations['dev.regatta.version'] ?? '?'}`]
  return `${[...name, `  image      ${digest}`, ...rewritten, ...platforms.flatMap(toPlatformLines), ...toRunLines(image)].join('\n')}\n`
}

/** What is wrong with an image, a line each. */
export function toProblemLines({ problems }: VerifiedImage): string {
  return problems.map(({ code, culprit, what }) => `error[${code}] ${culprit}: ${what}\n`).join('')
}

function toPlatformLines({ config, layers, sbom }: VerifiedPlatform): readonly string[] {
  const bytes = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0)
  const away = layers.filter(({ elsewhere }) => elsewhere !== undefined)
  const user = config?.config.User ? `, as user ${config.config.User}` : ''
  return [
    ...(config === undefined ? [] : [`  platform   ${config.os}/${config.architecture}${user}`]),
    `  layers     ${layers.length}, ${toSize(bytes)}${away.length === 0 ? '' : `; ${away.length} not read: in ${away[0]?.elsewhere}`}`,
    `  sbom       ${sbom === undefined ? 'none' : toSbomText(sbom)}`,
  ]
}

function toSbomText({ digest, packages }: NonNullable<VerifiedPlatform['sbom']>): string {
  const known = packages.flatMap(({ name, version }) => (version === undefined ? [] : [`${name} ${version}`]))
  const shown = [...new Set(known)].slice(0, 5).join(', ')
  return `${packages.length} packages${shown === '' ? '' : `: ${shown}`} (${digest})`
}

function toRunLines({ run }: VerifiedImage): readonly string[] {
  if (run === undefined) return ['  run        none']
  const { digest, record } = run
  if (record === null) return [`  run        ${digest}; its record is not here`]
  const { data, git, id, params } = record
  const commit = git === null ? 'not in a repository' : `${git.commit}${git.dirty ? ' with uncommitted changes' : ''}`
  return [
    `  run        ${id} (${digest})`,
    `  params     ${toParamsText(params)}`,
    ...data.map(({ digest, path }) => `  data       ${path} (${digest})`),
    `  commit     ${commit}`,
  ]
}
