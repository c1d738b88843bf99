/** Shows the document, and sends requests from it to the server that the page came from. */
window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: 'list',
  filter: true,
  requestSnippetsEnabled: true,
  tryItOutEnabled: true,
  // Swagger's own service would be asked otherwise.
  validatorUrl: null,
});
