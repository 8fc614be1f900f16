export { type Gateway, type GatewayOptions, startGateway } from './gateway.node.ts'
export type { Limits } from './limits.ts'
