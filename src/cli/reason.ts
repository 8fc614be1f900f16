/** The flag of verbs that change a deployment. */
export const REASON_FLAG = {
  reason: {
    kind: 'parsed',
    parse: String,
    brief: 'Why, for the history of the deployment',
    placeholder: 'text',
    optional: true,
  },
} as const

/** The value of that flag. */
export type ReasonFlag = { readonly reason: string | undefined }
