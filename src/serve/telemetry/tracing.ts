import type { TraceExporter } from '../../core/otlp.node.ts'
import { type Attributes, isSampled } from '../../core/otlp.ts'
import { parseTraceparent, type RandomBytes, type TraceContext, toChildContext } from '../../core/trace-context.ts'

/** Begins the traces of requests. */
export interface Tracer {
  /** The trace of a request by its `traceparent` header, or undefined where nobody keeps it. */
  begin(traceparent: string | undefined): RequestTrace | undefined
}

/** What is told of a request to whoever keeps its trace. Times are those of `performance.now()`. */
export interface RequestTrace {
  readonly traceId: string
  /** Tells of a part of the request's work. */
  addPart(name: string, startTick: number, endTick: number, attributes?: Attributes): void
  /** Tells of the request itself. */
  end(name: string, startTick: number, endTick: number, attributes: Attributes, error?: string): void
}

/** Where a tracer gets what it needs from the process. */
export interface TracerSources {
  readonly random: RandomBytes
  /** Epoch ms at which `performance.now()` was 0. */
  readonly originAt: number
}

/**
 * Makes a tracer. Without an exporter nothing is sent, but the trace that a caller keeps still has a name, for
 * exemplars.
 */
export function toTracer(exporter: TraceExporter | undefined, { random, originAt }: TracerSources): Tracer {
  return {
    begin(traceparent) {
      const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent)
      if (exporter === undefined) return parent?.isSampled ? toUnsent(parent) : undefined
      const context = toChildContext(parent ?? { isSampled: true }, random)
      if (!isSampled(exporter.settings, parent, context.traceId)) return undefined
      return toSent(exporter, { ...context, isSampled: true }, parent?.spanId)
    },
  }

  function toSent(exporter: TraceExporter, context: TraceContext, parentId: string | undefined): RequestTrace {
    return {
      traceId: context.traceId,
      addPart(name, startTick, endTick, attributes = {}) {
        exporter.add({
          context: toChildContext(context, random),
          parentId: context.spanId,
          name,
          kind: 'internal',
          startAt: originAt + startTick,
          endAt: originAt + endTick,
          attributes,
        })
      },
      end(name, startTick, endTick, attributes, error) {
        exporter.add({
          context,
          parentId,
          name,
          kind: 'server',
          startAt: originAt + startTick,
          endAt: originAt + endTick,
          attributes,
          ...(error === undefined ? {} : { error }),
        })
      },
    }
  }
}

function toUnsent({ traceId }: TraceContext): RequestTrace {
  return { traceId, addPart() {}, end() {} }
}
