import type { RouteVariant } from '../../core/wire/routes.ts'
import type { Pin } from '../path.ts'
import { chooseByKey, chooseByWeight, toTotalWeight } from './rendezvous.ts'

/** Which variant shall answer, and how it came to be chosen. */
export interface VariantChoice<variant> {
  readonly variant: variant
  /** Probability that chance chose it, 0–1. */
  readonly propensity: number
  /** True where the request named the version or a label. */
  readonly pinned: boolean
}

/** What the choice goes by. */
export interface ChoiceHints {
  readonly pin: Pin | undefined
  readonly entity: string | undefined
  /** Draws a number within [0, 1). */
  readonly random: () => number
}

// Two variants may run the same version (a comparison of a model with itself): the champion's answer comes first.
const ROLES_BY_VERSION = ['champion', 'split', 'shadow'] as const
/** Labels that always name the champion, unless a variant is called so. */
const CHAMPION_LABELS = ['champion', 'stable']

/** Chooses who answers a prediction; undefined where nobody is what the pin names, or there is no variant at all. */
export function chooseVariant<variant extends RouteVariant>(
  variants: readonly variant[],
  { pin, entity, random }: ChoiceHints,
): VariantChoice<variant> | undefined {
  if (pin !== undefined) {
    const variant = findPinned(variants, pin)
    return variant === undefined ? undefined : { variant, propensity: 1, pinned: true }
  }
  // Only champion and splits have a weight.
  const variant = entity === undefined ? chooseByWeight(variants, random()) : chooseByKey(variants, entity)
  if (variant === undefined) return undefined
  return { variant, propensity: Math.min(1, variant.weight / toTotalWeight(variants)), pinned: false }
}

/**
 * The variant that a request may name, any but a standby: by its version, or by a label, which is a variant's name or
 * one of `champion` and `stable`.
 */
export function findPinned<variant extends RouteVariant>(variants: readonly variant[], pin: Pin): variant | undefined {
  const open = variants.filter(variant => variant.role !== 'standby')
  if (pin.kind === 'label')
    return (
      open.find(variant => variant.name === pin.text) ??
      (CHAMPION_LABELS.includes(pin.text) ? open.find(variant => variant.role === 'champion') : undefined)
    )
  const version = /^\d{1,15}$/.test(pin.text) ? Number(pin.text) : undefined
  return ROLES_BY_VERSION.map(role => open.find(variant => variant.role === role && variant.version === version)).find(
    variant => variant !== undefined,
  )
}
