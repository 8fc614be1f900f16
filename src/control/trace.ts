import type { PredictionId } from '../core/uuid.ts'
import type { StoredAnswer, StoredPrediction } from '../store/index.ts'
import type { TraceAnswerJson, TraceJson } from './api/outcomes.ts'
import type { Lineage, ReadLineage } from './deployment/lineage.node.ts'

/** Follows a prediction back to the runs that its answers come from. @throws IMAGE_MISSING */
export async function toTrace(prediction: StoredPrediction, readLineage: ReadLineage): Promise<TraceJson> {
  const { id, at, truth } = prediction
  const answers: TraceAnswerJson[] = []
  // The served answer first, then the shadows' by name.
  const inOrder = prediction.answers.toSorted(
    (a, b) => Number(b.served) - Number(a.served) || (a.variant.name < b.variant.name ? -1 : 1),
  )
  for (const answer of inOrder) answers.push(toAnswer(answer, await readLineage(answer.variant.digest)))
  return {
    schema: 'regatta/trace/v1',
    prediction: toIdText(id),
    at: new Date(at).toISOString(),
    answers,
    truth: truth === undefined ? null : { value: truth.value, revision: truth.revision },
  }
}

function toAnswer(answer: StoredAnswer, lineage: Lineage): TraceAnswerJson {
  const { variant, served, replica, prediction, loss, latencyUs } = answer
  return {
    variant: variant.name,
    served,
    version: variant.version,
    replica,
    prediction,
    loss: loss ?? null,
    latencyMs: latencyUs / 1000,
    image: variant.digest,
    ...lineage,
  }
}

function toIdText({ request, row }: PredictionId): string {
  return row === 0 ? request : `${request}/${row}`
}
