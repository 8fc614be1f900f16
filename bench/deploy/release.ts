import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'
import { untilAnswered } from './asking.ts'
import type { Deployed } from './rollout.ts'

/** Weight that no other model of the measurement has. */
const WEIGHT = 5

/** Time from the end of a training to the first answer of its model as champion, ms: pack, push, deploy. */
export async function measureRelease({ harbour, gateway }: Deployed): Promise<number> {
  writeFileSync(join(harbour.place.folder, 'model.onnx'), toLinearModel({ weight: WEIGHT }))
  await harbour.regatta(['train'])
  const startedAt = performance.now()
  for (const verb of ['pack', 'push', 'deploy']) await harbour.regatta([verb])
  await untilAnswered(gateway, WEIGHT)
  return performance.now() - startedAt
}
