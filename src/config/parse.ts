import type { z } from 'zod'
import { isObject } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import { applyEnvironment, type Overlay } from './environment.ts'
import { listKeys, listScalarKeys } from './json-schema.ts'
import { LOSSES_OF_TASK } from './loss-schema.ts'
import { describeValue, type Problem, toConfigError } from './problem.ts'
import type {
  KubernetesTargetConfig,
  LocalTargetConfig,
  Project,
  RaceConfig,
  ServeConfig,
  TruthConfig,
} from './project.ts'
import { type ProjectInput, projectSchema } from './schema.ts'
import { parseSource, type Source } from './source.ts'
import type { Environment } from './variables.ts'

/** Where a project lies and what the environment says of it. */
export interface ParseOptions {
  /** Absolute path of the folder that holds regatta.yaml. */
  readonly folder: string
  /** Variables such as `REGATTA_SERVE_REPLICAS`, which win over the file. */
  readonly env: Environment
}

/**
 * Reads the text of a regatta.yaml: environment over file over defaults. All problems are reported at once.
 * @throws CONFIG (a UsageError)
 */
export function parseProject(text: string, { folder, env }: ParseOptions): Project {
  const source = parseSource(text)
  if (!('value' in source)) throw toConfigError(source)
  if (!isObject(source.value)) throw toConfigError([toRootProblem(source)])
  const overlay = applyEnvironment(source.value, env)
  const checked = projectSchema.safeParse(overlay.value)
  const found = checked.success ? [] : checked.error.issues.flatMap(issue => toProblems(issue, source, overlay))
  const problems = [...found, ...overlay.problems]
  if (!checked.success || problems.length > 0) throw toConfigError(problems)
  return toProject(checked.data, folder)
}

function toRootProblem(source: Source): Problem {
  const found = source.value === null ? 'an empty file' : describeValue(source.value)
  return { place: source.placeOfValue([]), key: '', text: `expected keys such as name, found ${found}` }
}

function toProblems(issue: z.core.$ZodIssue, source: Source, overlay: Overlay): Problem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => toUnknownKey([...issue.path, key], source))
  const key = issue.path.join('.')
  const variable = overlay.variables.get(key)
  const value = issue.path.reduce<unknown>(toInner, overlay.value)
  const text = `expected ${issue.message}, found ${describeValue(value)}`
  return [{ place: variable === undefined ? source.placeOfValue(issue.path) : { variable }, key, text }]
}

function toInner(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)]
  return isObject(value) ? value[String(key)] : undefined
}

function toUnknownKey(path: readonly PropertyKey[], source: Source): Problem {
  const known = listKeys(path.slice(0, -1))
  const word = String(path.at(-1))
  // A key of another section is often one written at the wrong depth.
  const elsewhere = listScalarKeys()
    .find(key => key.path.at(-1) === word)
    ?.path.join('.')
  const nearest = findNearest(word, known) ?? elsewhere
  const hint = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean \`${nearest}\`?`
  return { place: source.placeOfKey(path), key: path.join('.'), text: `unknown key, ${hint}` }
}

function toProject(input: ProjectInput, folder: string): Project {
  const { name, train, image, serve, targets } = input
  return {
    folder,
    name,
    train,
    image: { ...image, repository: image.repository, modelPath: image.modelPath ?? `/models/${name}` },
    serve: toServe(serve),
    race: toRace(input.race),
    targets: { local: toLocal(targets.local), kubernetes: toKubernetes(targets.kubernetes) },
  }
}

function toServe({ replicas, autoscale, alerts, ...serve }: ProjectInput['serve']): ServeConfig {
  const { webhook } = alerts
  return { ...serve, replicas: replicas ?? autoscale?.min ?? 1, autoscale, alerts: { ...alerts, webhook } }
}

function toLocal({ tls, ...local }: ProjectInput['targets']['local']): LocalTargetConfig {
  return { ...local, tls: tls && { ...tls, clientCa: tls.clientCa } }
}

function toKubernetes(input: ProjectInput['targets']['kubernetes']): KubernetesTargetConfig {
  const { context, control, database, namespace, priorityClass, storage, overlay } = input
  return {
    ...{ ...input, context, database, namespace, priorityClass },
    control: { replicas: control.replicas ?? (database === undefined ? 1 : 2) },
    storage: { ...storage, class: storage.class },
    overlay: overlay.map(item => ({ ...item, part: item.part })),
  }
}

function toRace({ maturity: maturityMs, ...race }: ProjectInput['race']): RaceConfig {
  const { ramp, task, truth } = race
  return {
    ...race,
    maturityMs,
    prediction: race.prediction,
    champion: race.champion,
    cap: race.cap,
    entity: race.entity,
    covariate: race.covariate,
    sample: race.sample,
    truth: toTruth(truth),
    loss: race.loss ?? { kind: LOSSES_OF_TASK[task][0] },
    mode: race.mode ?? (task === 'value' || ramp.length > 0 ? 'split' : 'shadow'),
  }
}

function toTruth({ by, series, at }: ProjectInput['race']['truth']): TruthConfig {
  return by === 'prediction' ? { by } : { by, series, at }
}
