import { type ImageFacts, planAppLayer } from './image.ts'
import type { LayerPlan } from './layer.ts'
import { planModelLayers } from './model.node.ts'
import type { ImagePlan } from './plan.node.ts'
import { TRITON_CONFIG } from './triton.ts'

/** The layers that all platforms share: what the image holds, and the model. */
export function planUpper(plan: ImagePlan, facts: ImageFacts, signal: AbortSignal): readonly LayerPlan[] {
  const { model, modelCompression: wrap } = plan
  const { modelPath, server, version } = facts
  const app = planAppLayer(facts, model.files.has(TRITON_CONFIG))
  return [app, ...planModelLayers(model, { server, modelPath, version, wrap }, signal)]
}
