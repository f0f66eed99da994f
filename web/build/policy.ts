// The headers that the binary serves the screen with (internal/httpd/policy.go, whose test
// holds the two together), for `vite preview` and, of the engine, for `vite dev`: what a
// policy forbids is to be found before a server is asked.
import type { Connect, Plugin } from 'vite';

const page = (reach: string) =>
	`default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src ${reach}; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html mirsal`;

// the only one under which a program in WebAssembly runs: that of the Worker's script
const engine = (reach: string) =>
	`default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ${reach}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;

const worker = (reach: string) =>
	`default-src 'none'; script-src 'self'; connect-src ${reach}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;

const permissions =
	'camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), fullscreen=(self), autoplay=(self), picture-in-picture=(self), screen-wake-lock=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), accelerometer=(), gyroscope=(), magnetometer=()';

const basics = {
	'X-Content-Type-Options': 'nosniff',
	'X-Frame-Options': 'DENY',
	'Referrer-Policy': 'no-referrer',
	'Cross-Origin-Opener-Policy': 'same-origin',
	'Cross-Origin-Resource-Policy': 'same-origin',
};

const policies: Record<string, (reach: string) => string> = { '/': page, '/index.html': page, '/engine/engine.js': engine, '/sw.js': worker };
const none = () => "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

// guard puts them on an answer: what is asked for by the path alone, from this very site.
const guard: Connect.NextHandleFunction = (request, response, next) => {
	const path = request.url!.split('?')[0]!;
	const policy = policies[path] ?? none;
	for (const [name, value] of Object.entries(basics)) response.setHeader(name, value);
	response.setHeader('Content-Security-Policy', policy(`'self' ws://${request.headers.host}`));
	if (policy === page) response.setHeader('Permissions-Policy', permissions);
	next();
};

// policy is the plugin. The pages of `vite dev` have scripts inline and need another one.
export function policy(): Plugin {
	return {
		name: 'mirsal-policy',
		enforce: 'pre',
		configurePreviewServer: (s) => void s.middlewares.use(guard),
		configureServer: (s) => void s.middlewares.use((q, r, next) => (q.url?.startsWith('/engine/engine.js') ? guard(q, r, next) : next())),
	};
}
