import { serveGrpc } from '../../src/core/grpc/testing/serve.ts'
import { predictingGrpc } from '../../src/route/testing/grpc-upstream.ts'

/* A model server without a model, over gRPC: answers every call with one fixed prediction. */
const server = await serveGrpc(predictingGrpc(7), { port: 0 })
process.send?.(server.port)
process.once('disconnect', () => process.exit())
