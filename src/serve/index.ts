export { openOnnxEngine } from './onnx.node.ts'
export type { Logger, ServerOptions } from './options.ts'
export { type Server, startServer } from './server.node.ts'
