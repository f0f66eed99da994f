// The headers that the binary serves the screen with (internal/httpd has the same), for
// `vite preview`: what the policy forbids is to be found before a server is asked.
export const policy = {
	'Content-Security-Policy': [
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "media-src 'self' blob:",
		"connect-src 'self'", "worker-src 'self'", "font-src 'self'", "manifest-src 'self'", "frame-ancestors 'none'",
		"base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'", 'trusted-types svelte-trusted-html mirsal',
	].join('; '),
	'Cross-Origin-Opener-Policy': 'same-origin',
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
};

// enginePolicy is that of the Worker's script alone.
export const enginePolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *";
