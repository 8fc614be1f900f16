import type { MessageInitShape, MessageShape, ModelServerConfig, ModelService } from '../../tensor/messages.ts'
import type { ModelConfig } from '../catalog/catalog.ts'
import type { VersionPolicy } from '../catalog/version-policy.ts'
import { Refusal } from '../errors.ts'
import type { Service } from '../model.ts'
import { checkPlatform, toLatest } from '../tfs/model-config.ts'

type ReloadRequest = MessageShape<typeof ModelService.method.handleReloadConfigRequest.input>
type ReloadResponse = MessageInitShape<typeof ModelService.method.handleReloadConfigRequest.output>

/**
 * Serves exactly the models of a request from now on, and answers when that is done. Of metrics it tells no increase:
 * those of TensorFlow Serving's names count predictions.
 * @throws FORBIDDEN, BAD_REQUEST, PRECONDITION, LOAD_FAILED
 */
export async function reload(
  { catalog, allowsModelControl }: Service,
  { config, metricNames }: ReloadRequest,
): Promise<ReloadResponse> {
  if (!allowsModelControl) {
    const text = 'Cannot reload models: start the server with --allow-model-control to let clients'
    throw new Refusal('FORBIDDEN', text)
  }
  await catalog.reload(parseConfigs(config))
  return {
    status: {},
    metric: metricNames.map(name => ({ name, valueIncrease: { case: 'int64ValueIncrease', value: 0n } })),
  }
}

/** Reads the models to be served: the same as in the file of `--model_config_file`. @throws BAD_REQUEST */
export function parseConfigs(message: ModelServerConfig | undefined): readonly ModelConfig[] {
  if (message?.config.case !== 'modelConfigList') {
    // model_service_impl.cc.
    const text = 'ServerModelConfig type not supported by HandleReloadConfigRequest.'
    throw new Refusal('BAD_REQUEST', `${text} Only ModelConfigList is currently supported`)
  }
  return message.config.value.config.map(config => {
    const { name, basePath, modelPlatform, versionLabels } = config
    checkPlatform(name, modelPlatform)
    if (config.loggingConfig !== undefined) {
      const fix = 'remove it, for requests are recorded by the gateway'
      throw new Refusal('BAD_REQUEST', `Cannot use logging_config of model ${name}: ${fix}`)
    }
    const labels = new Map(Object.entries(versionLabels).map(([label, version]) => [label, Number(version)]))
    return { name, basePath, policy: toPolicy(config.modelVersionPolicy?.policyChoice), labels }
  })
}

type MessageOf<list> = list extends { readonly value: { readonly config: readonly (infer item)[] } } ? item : never
type ConfigMessage = MessageOf<ModelServerConfig['config']>
type PolicyChoice = NonNullable<ConfigMessage['modelVersionPolicy']>['policyChoice']

function toPolicy(choice: PolicyChoice | undefined): VersionPolicy {
  switch (choice?.case) {
    case 'all':
      return { kind: 'all' }
    case 'specific':
      return { kind: 'specific', versions: choice.value.versions.map(Number) }
    case 'latest':
      return toLatest(choice.value.numVersions)
    default:
      return toLatest(1)
  }
}
