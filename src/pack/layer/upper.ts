import { type ImageFacts, planAppLayer } from '../image/image.ts'
import type { ImagePlan } from '../image/plan.node.ts'
import { planModelLayers } from '../model/model.node.ts'
import { TRITON_CONFIG } from '../model/triton.ts'
import type { LayerPlan } from './layer.ts'

/** The layers that all platforms share: what the image holds, and the model. */
export function planUpper(plan: ImagePlan, facts: ImageFacts, signal: AbortSignal): readonly LayerPlan[] {
  const { model, modelCompression: wrap } = plan
  const { modelPath, server, version } = facts
  const app = planAppLayer(facts, model.files.has(TRITON_CONFIG))
  return [app, ...planModelLayers(model, { server, modelPath, version, wrap }, signal)]
}
