import type { ComponentName } from '../../tools/images/components.ts'

/** What a round changes, or `cold`: nothing kept on this machine, nothing of the image in the registry but its base. */
export const CASES = ['cold', 'large', 'small', 'same'] as const
/** One of them. */
export type Case = (typeof CASES)[number]

/** One way to turn the folder `context` into an image in the registry. */
export interface Contender extends AsyncDisposable {
  readonly name: string
  /** Forgets all it knows; what it makes from now on goes to another repository. */
  forget(): Promise<void>
  /** Prepares what is not part of the measured time, after the model changed. */
  prepare?(): Promise<void>
  /** The measured shell script: from the files to an image that the registry has under a tag. */
  toScript(kind: Case): string
}

/** What the contenders share. */
export interface Arena {
  /** A folder of the contender's own. */
  readonly folder: string
  /** Holds `Dockerfile`, `runtime/` and `models/bench/1/model.onnx`. */
  readonly context: string
  /** `127.0.0.1:PORT`. */
  readonly registry: string
  /** The image that all stand on, in that registry. */
  readonly base: string
  /** The program of a component. */
  readonly toPath: (name: ComponentName) => string
}

/** Where an image's files lie and how it runs, the same for all contenders. */
export function toDockerfile(base: string): string {
  return `FROM ${base}
WORKDIR /opt/regatta
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1
EXPOSE 8501
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/opt/regatta/server.js"]
CMD ["--model-name", "bench", "--model-base-path", "/models/bench"]
COPY runtime /opt/regatta
COPY models /models
`
}

/** Repository names that were never used before: `NAME-1`, `NAME-2`, … */
export function toRepositories(registry: string, name: string): { next(): void; readonly reference: () => string } {
  let number = 0
  return {
    next() {
      number += 1
    },
    reference: () => `${registry}/bench/${name}-${number}:model`,
  }
}
