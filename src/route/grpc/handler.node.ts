import type { GrpcReply, GrpcRequest } from '../../core/grpc/grpc.ts'
import type { Access } from '../access.ts'
import type { OwnWorld } from '../own.node.ts'
import { CLOSED, NO_ROUTES, NO_TOKEN } from '../refusals.ts'
import { classifyCall } from './calls.ts'
import { answerCall, type CallReply, type GrpcWorld, passCall, refuseCall } from './grpc.node.ts'
import { answerOwnCall } from './own.node.ts'

/** What answering any call works with. */
export interface GrpcHandlerWorld extends GrpcWorld {
  readonly routes: OwnWorld['routes']
  readonly stopping: OwnWorld['stopping']
  readonly access: Access
}

/** Answers one call, or throws a `GrpcError`. */
export async function handleGrpc(world: GrpcHandlerWorld, call: GrpcRequest): Promise<GrpcReply> {
  const use = classifyCall(call.path)
  if (use?.kind === 'own') return answerOwnCall(world, call, use.call)
  if (!world.access.mayPredict(call.metadata)) throw refuseCall(world, NO_TOKEN)
  if (use === undefined)
    throw refuseCall(world, { code: 'UNKNOWN_CALL', status: 501, text: `Nothing here serves ${call.path}` })
  if (use.kind === 'closed') throw refuseCall(world, CLOSED)
  if (use.kind === 'stream') throw new Error(`${call.path} takes its messages one by one`)
  const { table } = world.routes
  if (table === undefined) throw refuseCall(world, NO_ROUTES)
  if (use.kind === 'predict') return await answerCall(world, table, call, use.form)
  return await passCall(world, table, call, use.kind === 'model' ? use.names : undefined)
}

/** Answers one message of a stream of predictions, or throws a `GrpcError`. */
export async function answerMessage(world: GrpcHandlerWorld, call: GrpcRequest): Promise<CallReply> {
  const { table } = world.routes
  if (table === undefined) throw refuseCall(world, NO_ROUTES)
  return await answerCall(world, table, call, 'v2-infer')
}
