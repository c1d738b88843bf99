/** Shows one of the two documents. Only the API of this port can be tried out: a page may call no other port. */
const isCore = new URLSearchParams(location.search).get('api') === 'core';
const url = isCore ? '/openapi-core.json' : '/openapi.json';

const links = document.querySelectorAll('header nav a');
links[isCore ? 1 : 0].setAttribute('aria-current', 'page');
const documentLink = document.getElementById('document');
documentLink.href = url;
documentLink.textContent = url.slice(1);

window.SwaggerUIBundle({
  url,
  dom_id: '#swagger-ui',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: 'list',
  filter: true,
  requestSnippetsEnabled: true,
  supportedSubmitMethods: isCore ? [] : ['get', 'put', 'post', 'patch', 'delete'],
  tryItOutEnabled: !isCore,
  // Swagger's own service would be asked otherwise.
  validatorUrl: null,
});
