/** The common name of the certificate that the host of a web server shows to the host of an application. */
export const client = 'app-proxy';
