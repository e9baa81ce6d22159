// The service worker: shows pushed notices, opens the page they lead to, and shows the offline page when
// there is no connection. The cache holds only that page, which is the same for everybody.

const CACHE = `medcab-${VERSION}`;

self.addEventListener("install", (event) => {
  const fresh = KEPT.map((url) => new Request(url, { cache: "reload", credentials: "omit" }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(fresh))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const outdated = (names) => names.filter((name) => name.startsWith("medcab-") && name !== CACHE);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(outdated(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline")));
  } else if (request.method === "GET" && KEPT.includes(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});

function read(event) {
  try {
    return event.data.json();
  } catch {
    return {};
  }
}

// The path of a message if it is one of this site, else that of the notices: nothing else is opened.
function ownPath(path) {
  return typeof path === "string" && /^\/(?!\/)[\w\-./?=&]*$/.test(path) ? path : "/notices";
}

self.addEventListener("push", (event) => {
  const told = read(event);
  const title = told.title || "Новое уведомление";
  event.waitUntil(
    self.registration.showNotification(title, {
      tag: told.tag,
      lang: told.language || "ru",
      icon: ICON,
      data: { path: ownPath(told.path) },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = ownPath(event.notification.data?.path);
  const url = new URL(path, self.location.origin).href;
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((windows) => {
      const open = windows.find((one) => one.url === url);
      return open ? open.focus() : self.clients.openWindow(url);
    }),
  );
});
