/** Tells the time as epoch milliseconds. Passed as an argument, so that tests decide what time it is. */
export type Clock = () => number
