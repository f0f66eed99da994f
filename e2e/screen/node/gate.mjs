// A Gate stands before a site and counts what goes to the browser, WebSockets apart. A Site is
// converse.js as a careful person would serve it: packed as well as Mirsal packs its own.

import fs from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

export class Gate {
	files = 0;
	stream = 0;

	static async open(to) {
		const gate = new Gate();
		const { hostname, port } = new URL(to);
		const server = net.createServer((browser) => {
			const site = net.connect(Number(port), hostname);
			let ws = false;
			browser.on('data', (b) => ((ws ||= b.subarray(0, 8).toString() === 'GET /ws '), site.write(b)));
			site.on('data', (b) => ((gate[ws ? 'stream' : 'files'] += b.length), browser.write(b)));
			for (const [a, b] of [[browser, site], [site, browser]]) {
				a.on('end', () => b.end());
				a.on('error', () => b.destroy());
			}
		});
		await new Promise((done) => server.listen(0, '127.0.0.1', done));
		gate.at = `http://127.0.0.1:${server.address().port}`;
		gate.close = () => server.close();
		return gate;
	}

	count() {
		const now = { files: this.files, stream: this.stream };
		this.files = this.stream = 0;
		return now;
	}
}

const types = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };
const browser = fileURLToPath(new URL('../../browser/', import.meta.url));

/** converse serves converse.js of e2e/browser, and gives its address. */
export async function converse() {
	const packed = new Map();
	async function content(pathname) {
		const file = pathname === '/' ? path.join(browser, 'node/page.html') : path.join(browser, 'node_modules/converse.js/dist', path.normalize(pathname).replace(/^\/dist\//, ''));
		if (!packed.has(file)) {
			const raw = await fs.readFile(file);
			const type = pathname === '/' ? 'text/html' : (types[path.extname(file)] ?? 'application/octet-stream');
			const small = /octet/.test(type) ? raw : zlib.brotliCompressSync(raw, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: raw.length } });
			packed.set(file, { type, small, packed: small !== raw });
		}
		return packed.get(file);
	}
	const server = http.createServer(async (request, response) => {
		const { pathname } = new URL(request.url, 'http://localhost');
		try {
			if (pathname.endsWith('.map')) throw new Error('only for those who look into it');
			const it = await content(pathname);
			response.writeHead(200, { 'Content-Type': it.type, 'Content-Length': it.small.length, ...(it.packed && { 'Content-Encoding': 'br' }), 'Cache-Control': pathname === '/' ? 'no-cache' : 'max-age=31536000, immutable' });
			response.end(it.small);
		} catch {
			response.writeHead(404).end();
		}
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	return { at: `http://127.0.0.1:${server.address().port}`, close: () => (server.close(), server.closeAllConnections()) };
}
