/** The version of this server, as it tells its clients: that of package.json (a test compares them). */
export const SERVER_VERSION = '0.1.0'
