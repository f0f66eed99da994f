// agent.mjs drives Chromium with pages that hold the engine. It reads commands from
// standard input, one JSON object a line: {id, do, …}, and answers each with
// {id, value} or {id, error}; what pages tell it writes as {tab, told}. It ends, and
// Chromium with it, when its input does.
//
//   node agent.mjs CHROMIUM DIST TESTS HOME     DIST is what scripts/wasm.sh built,
//                                   TESTS has test programs, HOME is the browser's own

import fs from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const { chromium } = createRequire(new URL('../../browser/package.json', import.meta.url))('playwright-core');
const [program, dist, tests, home] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const types = { '.js': 'text/javascript', '.html': 'text/html', '.wasm': 'application/wasm' };
// As the web client will be served: no script may be made of text, and WebAssembly only by the Worker.
const closed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; script-src 'self'";
const page = `${closed}; worker-src 'self'; require-trusted-types-for 'script'; trusted-types mirsal`;
const worker = `${closed} 'wasm-unsafe-eval'; connect-src 'self' ws://127.0.0.1:* http://127.0.0.1:* http://localhost:*`;

let server; // where this site's server is, if it has one

// proxied hands a request on to the server, as if this were its site.
function proxied(request, response) {
	const { method, url, headers } = request;
	const on = http.request(new URL(url, server), { method, headers }, (r) => r.pipe(response.writeHead(r.statusCode, r.headers)));
	on.on('error', () => response.writeHead(502).end());
	request.pipe(on);
}

async function serve(request, response) {
	if (server && /^\/(site\.json$|upload\/)/.test(request.url)) return proxied(request, response);
	const name = path.basename(new URL(request.url, 'http://localhost').pathname) || 'page.html';
	const where = name.startsWith('page.') || name === 'tests.js' ? here : name === 'tests.wasm' ? tests : dist;
	const packed = name === 'engine.wasm';
	try {
		const content = await fs.readFile(path.join(where, packed ? `${name}.br` : name));
		response.setHeader('Content-Type', types[path.extname(name)]);
		response.setHeader('Content-Security-Policy', name === 'engine.js' || name === 'tests.js' ? worker : page);
		response.setHeader('Cache-Control', 'no-cache');
		if (packed) {
			response.setHeader('Content-Encoding', 'br');
			response.setHeader('X-Unpacked-Length', (await fs.stat(path.join(dist, name))).size);
		}
		response.end(content);
	} catch {
		response.writeHead(404).end();
	}
}

const site = http.createServer(serve);
await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${site.address().port}`;
const tabs = new Map();
let browser;

const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const commands = {
	async begin() {
		browser = await chromium.launchPersistentContext(home, { executablePath: program, chromiumSandbox: process.getuid() !== 0 });
		browser.setDefaultTimeout(60_000);
		await browser.exposeBinding('told', ({ page }, text) => {
			for (const [tab, p] of tabs) if (p === page) write({ tab, told: JSON.parse(text) });
		});
	},
	site: (how) => void (server = how.server),
	async open({ tab }) {
		const p = await browser.newPage();
		tabs.set(tab, p);
		p.on('console', (m) => console.error(`${tab}: ${m.text()}`));
		p.on('worker', (w) => w.on('console', (m) => console.error(`${tab}'s Worker: ${m.text()}`)));
		p.on('requestfailed', (r) => console.error(`${tab}: ${r.method()} ${r.url()}: ${r.failure()?.errorText}`));
		p.on('pageerror', (e) => console.error(`${tab}: ${e.message}`));
		await p.goto(origin);
	},
	// run runs the text of a function, which may wait, in the page
	run: ({ tab, script, value }) => tabs.get(tab).evaluate(`(${script})(${JSON.stringify(value ?? null)})`),
	reload: ({ tab }) => tabs.get(tab).reload(),
	async close({ tab }) {
		await tabs.get(tab).close();
		tabs.delete(tab);
	},
	// evict has the browser throw away what it keeps for the site, but not localStorage
	async evict({ tab }) {
		const tools = await browser.newCDPSession(tabs.get(tab));
		await tools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb,file_systems' });
	},
};

async function obey(command) {
	try {
		write({ id: command.id, value: (await commands[command.do](command)) ?? null });
	} catch (e) {
		write({ id: command.id, error: e.message });
	}
}

for await (const line of readline.createInterface({ input: process.stdin })) obey(JSON.parse(line));
await browser?.close();
site.close();
site.closeAllConnections();
