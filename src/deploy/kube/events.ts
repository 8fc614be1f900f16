/** What the target of a cluster tells about its own work. */
export type KubeEvent =
  | { readonly kind: 'notice-failed'; readonly reason: string }
  | { readonly kind: 'cluster-away'; readonly reason: string }
  | { readonly kind: 'listener-failed'; readonly reason: string }
