// node:http and ONNX Runtime in one thread, as one would write it first: the bytes of the numbers in and out.
import { createServer } from 'node:http'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [path = '', shape = '', port = ''] = process.argv.slice(2)
const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 })
const server = createServer(async (request, response) => {
  if (request.method === 'GET') return response.end('live')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const data = new Float32Array(Uint8Array.from(Buffer.concat(chunks)).buffer)
  const { y } = await session.run({ x: new Tensor('float32', data, JSON.parse(shape)) })
  return response.end(y?.data instanceof Float32Array ? new Uint8Array(y.data.buffer) : 'no float32')
})
server.listen(Number(port), '127.0.0.1')
