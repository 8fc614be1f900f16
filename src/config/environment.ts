import { isObject } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import { listScalarKeys, type ScalarKey } from './json-schema.ts'
import type { Problem } from './problem.ts'
import { type Environment, PREFIX } from './variables.ts'

/** Variables of regatta that are no keys of regatta.yaml. */
const OTHER_VARIABLES = /^REGATTA_(TOKEN|URL|TARGET|READY|LOG_LEVEL|PARAMS|PARAM_.*|OUTPUT|RUN_ID|TEST_.*)$/

let listed: ReadonlyMap<string, ScalarKey> | undefined

/** The variable of each scalar key: `race.minGain` → `REGATTA_RACE_MIN_GAIN`. Listed late: most environments have none. */
function toVariables(): ReadonlyMap<string, ScalarKey> {
  listed ??= new Map(listScalarKeys().map(key => [toVariable(key.path), key]))
  return listed
}

function toVariable(path: readonly string[]): string {
  return PREFIX + path.map(key => key.replaceAll(/[A-Z]/g, letter => `_${letter}`).toUpperCase()).join('_')
}

/** A file's value with the environment laid over it. */
export interface Overlay {
  readonly value: unknown
  /** The variable that a key (`serve.replicas`) came from. */
  readonly variables: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

/** The variables that set a key of regatta.yaml, for a process elsewhere that reads the same file. */
export function pickVariables(env: Environment): Readonly<Record<string, string>> {
  const pairs = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '' && toVariables().has(pair[0]),
  )
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Lays the environment over the value of regatta.yaml. Empty variables count as not set. */
export function applyEnvironment(file: unknown, env: Environment): Overlay {
  const variables = new Map<string, string>()
  const problems: Problem[] = []
  let value = file
  for (const [variable, content] of Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!variable.startsWith(PREFIX) || content === undefined || content === '') continue
    const key = toVariables().get(variable)
    if (key !== undefined) {
      variables.set(key.path.join('.'), variable)
      value = setAt(value, key.path, toTyped(key, content))
    } else problems.push(...listUnknown(variable))
  }
  return { value, variables, problems }
}

function listUnknown(variable: string): Problem[] {
  if (OTHER_VARIABLES.test(variable)) return []
  const nearest = findNearest(
    variable.slice(PREFIX.length),
    [...toVariables().keys()].map(name => name.slice(PREFIX.length)),
  )
  // What begins with the name of a section is meant for regatta.yaml.
  const sections = new Set([...toVariables().values()].map(({ path }) => toVariable(path.slice(0, 1))))
  const inSection = [...sections].some(section => variable === section || variable.startsWith(`${section}_`))
  if (!inSection && nearest === undefined) return []
  const hint = nearest === undefined ? 'a key with a single value has one' : `did you mean ${PREFIX}${nearest}?`
  return [{ place: { variable }, key: '', text: `unknown variable, ${hint}` }]
}

/** Text that is not what the key takes stays as it is, for the schema to refuse. */
function toTyped({ type }: ScalarKey, content: string): Scalar {
  if (type === 'number') return toNumber(content)
  if (type === 'boolean' && /^(true|false)$/.test(content)) return content === 'true'
  return content
}

type Scalar = string | number | boolean

function toNumber(content: string): string | number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(content.trim()) ? Number(content) : content
}

/** A copy of a mapping with one key set; whatever is no mapping stays, for the schema to refuse. */
function setAt(value: unknown, path: readonly string[], leaf: Scalar): unknown {
  const [key, ...rest] = path
  if (key === undefined) return leaf
  if (value !== undefined && !isObject(value)) return value
  return { ...value, [key]: setAt(value?.[key], rest, leaf) }
}
