import type { ModelConfig } from '../catalog/catalog.ts'
import { checkConfigs } from '../catalog/check-configs.ts'
import { LATEST, type VersionPolicy } from '../catalog/version-policy.ts'
import { Refusal } from '../errors.ts'
import { MODEL_SERVER_CONFIG } from './schemas.ts'
import { parseTextProto, type TextMessage } from './text-proto.ts'

type ConfigMessage = TextMessage<typeof MODEL_SERVER_CONFIG.model_config_list.fields>['config'][number]

/**
 * Reads a ModelServerConfig: the models that a server is to serve. Every model is ONNX here, whatever its platform says.
 * @throws TEXT_PROTO with file, line and column; BAD_REQUEST where models do not go together
 */
export function parseModelConfigs(text: string, file: string): readonly ModelConfig[] {
  const { model_config_list } = parseTextProto(text, MODEL_SERVER_CONFIG, file)
  const configs = (model_config_list?.config ?? []).map(toModelConfig)
  checkConfigs(configs)
  return configs
}

function toModelConfig(message: ConfigMessage): ModelConfig {
  const { name = '', base_path = '', model_platform, model_version_policy, version_labels } = message
  checkPlatform(name, model_platform)
  const labels = new Map(version_labels.map(({ key = '', value = 0n }) => [key, Number(value)]))
  return { name, basePath: base_path, policy: toPolicy(model_version_policy), labels }
}

/** What the file's `model_platform` may be: it is required by TensorFlow Serving, where it is `tensorflow`. */
const PLATFORMS = ['tensorflow', 'onnx', '']

/** Checks what a model is made for. @throws BAD_REQUEST */
export function checkPlatform(name: string, platform = ''): void {
  if (PLATFORMS.includes(platform)) return
  throw new Refusal('BAD_REQUEST', `Model ${name} requests unsupported platform ${platform}`)
}

function toPolicy(message: ConfigMessage['model_version_policy']): VersionPolicy {
  if (message?.all !== undefined) return { kind: 'all' }
  if (message?.specific !== undefined) return { kind: 'specific', versions: message.specific.versions.map(Number) }
  return toLatest(Number(message?.latest?.num_versions ?? 1n))
}

/** The policy of so many highest versions; 0 means 1. */
export function toLatest(count: number): VersionPolicy {
  return count <= 1 ? LATEST : { kind: 'latest', count }
}
