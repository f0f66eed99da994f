// The service worker keeps one whole release: each file checked against the hash that was
// built into this script, all of them or none. The screen is served from there, online and
// offline; another release comes by another script, and takes over when no tab is open any
// more or when the page says so ('take over').
//
// It is trust on first use: it holds fast to what came first. A server that lies from the
// beginning it cannot find out.

export {};
declare const self: ServiceWorkerGlobalScope;

// path → sha256-…, written in by build/manifest.ts
const files = JSON.parse('__FILES__') as Record<string, string>;
const release = 'mirsal __RELEASE__';

const kept = Object.keys(files); // by what comes, unpacked
const known = new Set(kept.map((path) => `/${path}`));

self.addEventListener('install', (e) => e.waitUntil(take()));
self.addEventListener('activate', (e) => e.waitUntil(clean()));
self.addEventListener('message', (e) => {
	if (e.data === 'take over') void self.skipWaiting();
});
self.addEventListener('fetch', (e) => {
	const path = ours(e.request);
	if (path) e.respondWith(from(path));
});

self.addEventListener('notificationclick', (e) => e.waitUntil(show(e.notification)));

// show opens what a notification of ours speaks of, in a window that is there if one is.
async function show(notification: Notification) {
	notification.close();
	const { chat = '', at = '#/' } = (notification.data ?? {}) as { chat?: string; at?: string };
	const there = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
	const one = there.find((c) => c.visibilityState === 'visible') ?? there[0];
	if (!one) return void (await self.clients.openWindow(`/${at}`));
	one.postMessage({ opens: chat });
	await one.focus();
}

// take fetches what the last release does not have already.
async function take() {
	const cache = await caches.open(release);
	const rest = kept.slice();
	const next = async () => {
		for (let path = rest.pop(); path; path = rest.pop()) await keep(cache, path);
	};
	await Promise.all([next(), next(), next(), next()]);
}

async function keep(cache: Cache, path: string) {
	await cache.put(`/${path}`, await fetched(path));
}

// fetched is a file as this release has it, and no other.
async function fetched(path: string): Promise<Response> {
	const response = await fetch(`/${path}`, { integrity: files[path]!, cache: 'no-cache', credentials: 'omit' });
	if (!response.ok) throw new Error(`${path}: ${response.status}`);
	return response;
}

async function clean() {
	for (const name of await caches.keys()) if (name.startsWith('mirsal ') && name !== release) await caches.delete(name);
	await self.clients.claim();
}

// ours is the path of what this release answers; undefined is the network's.
function ours(request: Request): string | undefined {
	const url = new URL(request.url);
	if (request.method !== 'GET' || url.origin !== self.location.origin) return undefined;
	if (request.mode === 'navigate') return url.pathname === '/' ? '/index.html' : undefined;
	return known.has(url.pathname) ? url.pathname : undefined;
}

async function from(path: string): Promise<Response> {
	const cache = await caches.open(release);
	return (await cache.match(path)) ?? again(cache, path);
}

// again fetches what the browser has thrown away. Where the server does not have that very file any
// more there is none; then it may have another release, which comes as every one does.
async function again(cache: Cache, path: string): Promise<Response> {
	try {
		const response = await fetched(path.slice(1));
		void cache.put(path, response.clone()).catch(() => {});
		return response;
	} catch {
		void self.registration.update().catch(() => {});
		return Response.error();
	}
}
