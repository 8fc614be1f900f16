import { isAbsolute } from 'node:path'
import { Refusal } from '../errors.ts'
import type { ModelConfig } from './catalog.ts'
import { isSamePolicy } from './version-policy.ts'

/** Checks the models that a server is to serve together. @throws BAD_REQUEST, in TensorFlow Serving's words where it has some */
export function checkConfigs(configs: readonly ModelConfig[]): void {
  const names = new Set<string>()
  for (const { name, basePath, labels } of configs) {
    if (!/^[^/:\s]+$/.test(name)) {
      throw new Refusal('BAD_REQUEST', `Cannot use "${name}" as a model's name: it stands in URLs`)
    }
    if (names.has(name)) throw new Refusal('BAD_REQUEST', `Illegal to list model ${name} multiple times in config list`)
    names.add(name)
    if (!isAbsolute(basePath)) {
      const text = `Expected model ${name} to have an absolute path or URI; got base_path()=${basePath}`
      const isUri = /^[a-z][a-z0-9+.-]*:\/\//i.test(basePath)
      throw new Refusal(
        'BAD_REQUEST',
        isUri ? `Cannot read model ${name} from ${basePath}: expected a local folder` : text,
      )
    }
    const label = [...labels.keys()].find(text => !/^[^/:\s]+$/.test(text))
    if (label !== undefined) throw new Refusal('BAD_REQUEST', `Cannot use "${label}" as a label of model ${name}`)
  }
}

/** Whether two configurations of a model say the same. */
export function isSameConfig(a: ModelConfig, b: ModelConfig): boolean {
  const labels = (config: ModelConfig): string => JSON.stringify([...config.labels].sort())
  return a.basePath === b.basePath && isSamePolicy(a.policy, b.policy) && labels(a) === labels(b)
}
