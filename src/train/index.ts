export { type ModelSignature, readOnnxSignature, type ValueSignature } from './onnx.ts'
export type * from './record.ts'
