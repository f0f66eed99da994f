// agent.mjs drives Chromium with pages that show converse.js. It reads commands
// from standard input, one JSON object a line: {id, do, who, …}, and answers each
// with {id, value} or {id, error}, one after the other. It ends, and Chromium
// with it, when its input does.
//
//   node agent.mjs CHROMIUM FOLDER     FOLDER is where pictures are put

import http from 'node:http';
import fs from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { Person } from './person.mjs';

const [program, folder] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, '..', 'node_modules', 'converse.js', 'dist');
const types = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };

// the site that a person's organisation would have converse.js on
async function serve(request, response) {
	const { pathname } = new URL(request.url, 'http://localhost');
	const file = pathname === '/' ? path.join(here, 'page.html') : path.join(dist, path.normalize(pathname).replace(/^\/dist\//, ''));
	try {
		const content = await fs.readFile(file);
		response.setHeader('Content-Type', pathname === '/' ? 'text/html' : types[path.extname(file)] ?? 'application/octet-stream');
		response.end(content);
	} catch {
		response.writeHead(404).end();
	}
}

const site = http.createServer(serve);
await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${site.address().port}`;
let browser;
const people = new Map();

const commands = {
	// begin starts the browser; rules map names to addresses, in Chromium's words
	async begin({ rules = '' }) {
		const args = rules ? [`--host-resolver-rules=${rules}`] : [];
		browser = await chromium.launch({ executablePath: program, chromiumSandbox: process.getuid() !== 0, args });
	},
	// open opens a page of its own storage, as on a device of its own; it trusts the
	// server, whose certificate is its own
	async open({ who, settings }) {
		const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en' });
		people.set(who, await Person.open(who, context, origin, folder, settings));
	},
};

async function obey(command) {
	const own = commands[command.do];
	if (own) return own(command);
	const person = people.get(command.who);
	try {
		return await person[command.do](command);
	} catch (e) {
		throw new Error(`${e.message}\n${await person.fails(command)}`);
	}
}

for await (const line of readline.createInterface({ input: process.stdin })) {
	const command = JSON.parse(line);
	let answer;
	try {
		answer = { id: command.id, value: (await obey(command)) ?? null };
	} catch (e) {
		answer = { id: command.id, error: e.message };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser?.close();
site.close();
site.closeAllConnections();
