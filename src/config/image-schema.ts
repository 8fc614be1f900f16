import { z } from 'zod'
import { isObject } from '../core/json.ts'
import { oneOf, section, text } from './schema-parts.ts'

/** A path that leads nowhere else than it says. */
const PATH_IN_IMAGE = /^(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)+$/

function toServer(image: unknown): string {
  return isObject(image) ? String(image['server']) : ''
}

/** The section `image` of regatta.yaml. */
export const image = section({
  repository: text(
    'a repository without a tag, such as registry.example.com/team/forecast',
    /^([a-zA-Z0-9.-]+(:\d{1,5})?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/,
    255,
  )
    .optional()
    .meta({ description: 'Repository to push images to', examples: ['registry.example.com/team/forecast'] }),
  server: oneOf(['onnx', 'tensorflow-serving', 'triton', 'custom'])
    .default('onnx')
    .meta({ description: "Model server in the image: regatta's own, or one that the base holds" }),
  base: text('host, an image such as node:24-slim, or oci:FOLDER', /^(host|oci:[^\0]+|(?!oci:)[A-Za-z0-9[]\S*)$/)
    .default('host')
    .meta({
      description:
        'What the image stands on: `host` is the Node that regatta itself runs on; else an image that holds the ' +
        'server (Node, for server onnx), in a registry or in an image layout (oci:FOLDER or oci:FOLDER:NAME)',
      examples: ['gcr.io/distroless/nodejs24-debian13', 'oci:base'],
    }),
  platforms: z
    .array(oneOf(['linux/amd64', 'linux/arm64']), 'a list of platforms such as [linux/amd64, linux/arm64]')
    .refine(platforms => new Set(platforms).size === platforms.length, 'each platform once')
    .default([])
    .meta({
      description: 'What the image runs on; several make an index of images. Default: what this machine is',
      examples: [['linux/amd64', 'linux/arm64']],
    }),
  modelPath: text('an absolute path such as /models/forecast', PATH_IN_IMAGE)
    .optional()
    .meta({ description: 'Folder in the image that holds VERSION/; default /models/NAME' }),
  modelCompression: oneOf(['stored', 'none']).default('stored').meta({
    description: 'How model layers are wrapped: as gzip that compresses nothing, or as the bare archive',
  }),
  loops: oneOf(['rewrite', 'keep'])
    .default('rewrite')
    .meta({
      description:
        'What becomes of loops of small operators, as the export of TensorFlow has them: `rewrite` puts the operator of ' +
        'ONNX in their place where both models are equal',
    }),
  files: z
    .record(
      text('an absolute path in the image', PATH_IN_IMAGE),
      text('a file or folder of the project', /\S/),
      'a mapping of paths in the image to files or folders of the project',
    )
    .default({})
    .meta({
      description: 'Files of a custom server: path in the image, and what goes there; each is a layer of its own',
      examples: [{ '/app/site-packages': '.venv/lib/python3.12/site-packages', '/app/server.py': 'server.py' }],
    }),
  command: z
    .array(text('text', /^[^\0]*$/, 10_000), 'a list of words such as [python, /app/server.py]')
    .max(1000, 'at most 1000 words')
    .default([])
    .meta({ description: 'What starts a custom server', examples: [['python', '/app/server.py']] }),
})
  .refine(({ base, server }) => server === 'onnx' || base !== 'host', {
    when: ({ value }) => isObject(value),
    path: ['base'],
    error: ({ input }) => `an image or oci:FOLDER that holds the server, for server ${toServer(input)}`,
  })
  .refine(({ command, server }) => server !== 'custom' || command.length > 0, {
    when: ({ value }) => isObject(value) && Array.isArray(value['command']),
    path: ['command'],
    error: 'a list of words such as [python, /app/server.py], for server custom',
  })
  .refine(({ command, server }) => server === 'custom' || command.length === 0, {
    when: ({ value }) => isObject(value) && Array.isArray(value['command']),
    path: ['command'],
    error: 'nothing here unless server is custom',
  })
  .refine(({ files, server }) => server === 'custom' || Object.keys(files).length === 0, {
    when: ({ value }) => isObject(value) && isObject(value['files']),
    path: ['files'],
    error: 'nothing here unless server is custom',
  })
  .meta({ description: 'The image that a run is packed into' })
