export type { Catalog, ModelConfig, ServedVersion, VersionStatus, WantedVersion } from './catalog.ts'
export { openOnnxEngine } from './onnx.node.ts'
export { type Logger, type ServerOptions, toSingleModel } from './options.ts'
export { type Server, startServer } from './server.node.ts'
