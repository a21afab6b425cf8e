
// The start of the API reference: what is asked of a key belongs on a server, so nothing is sent from here.
addEventListener('DOMContentLoaded', () => SwaggerUIBundle({
  url: '/docs/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: [],
  validatorUrl: null,
}))
