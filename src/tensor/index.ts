export { DTYPES, type Dtype, isDtype, type V2Datatype } from './dtype.ts'
export { TensorError, type TensorErrorCode } from './errors.ts'
export { fromHalfBits, toHalfBits } from './half.ts'
export { JsonParseError } from './json-cursor.ts'
export { isList, isMembers, isNumber, isNumbers, type JsonMembers, type JsonNode } from './json-node.ts'
export { MAX_JSON_DEPTH, parseJson } from './json-parse.ts'
export { toLength } from './json-shape.ts'
export { toShownText, toTypeText } from './json-text.ts'
export { toFloatText, toShortestFloat32 } from './number-text.ts'
export { parseRaw, parseRawText, toRaw } from './raw.ts'
export { copyTensor, freshMemory, joinRows, type Memory, sliceRows, toReusedMemory } from './rows.ts'
export { isSameShape, isWantedShape, type Shape, toElementCount, toShapeText, type WantedShape } from './shape.ts'
export {
  checkTensor,
  type NamedTensors,
  type Tensor,
  type TensorDataByDtype,
  type TensorSpec,
  toSizeBytes,
  toZeros,
} from './tensor.ts'
export { parseTfsInputs, parseTfsInstances } from './tfs-json.ts'
export { toTfsOutputs, toTfsPredictions } from './tfs-json-text.ts'
export { type ModelChoice, peekTfsModel } from './tfs-model.ts'
export {
  type PredictPeek,
  type PredictRequest,
  type PredictResponse,
  parsePredictRequest,
  parsePredictResponse,
  peekPredictRequest,
  peekPredictResponse,
  toPredictResponse,
} from './tfs-predict.ts'
export { parsePredictionLog } from './tfs-prediction-log.ts'
export { parseTfsTensor, TFS_ELEMENTS, type TfsTensorForm, toTfsTensor } from './tfs-tensor.ts'
export {
  type InferPeek,
  type InferTensor,
  type ModelInferRequest,
  type ModelInferResponse,
  parseModelInferRequest,
  parseModelInferResponse,
  peekModelInferRequest,
  peekModelInferResponse,
} from './v2-infer.ts'
export { toModelInferResponse } from './v2-infer-writer.ts'
export { parseV2Data, toV2Data } from './v2-json.ts'
export type { RequestedOutput, V2Head } from './v2-message.ts'
export type { Parameters, ParameterValue } from './v2-parameters.ts'
export {
  answerInferStream,
  ENDS_WITH_ERROR,
  parseStreamAnswer,
  type StreamAnswer,
  type StreamAnswering,
} from './v2-stream.ts'
export { parseV2Tensor, toV2Contents, type V2Elements, type V2TensorHead } from './v2-tensor.ts'
