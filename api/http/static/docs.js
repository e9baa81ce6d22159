// Draws the API's documentation; signed-in people try requests with their session.
(async () => {
  const csrf = await fetch("/api/v1/session", { headers: { "X-Medcab-Background": "1" } })
    .then((answer) => (answer.ok ? answer.json() : {}))
    .then((session) => session.csrf_token)
    .catch(() => null);
  window.ui = SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    persistAuthorization: false,
    requestInterceptor: (request) => {
      if (csrf && !request.headers.Authorization) {
        request.headers["X-CSRF-Token"] = csrf;
      }
      return request;
    },
  });
})();
