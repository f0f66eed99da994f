// A page of Chromium with stanza.js in it, on a site of this machine: one person on one device.

import http from 'node:http';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const from = (folder) => createRequire(new URL(folder + '/package.json', import.meta.url));
const { chromium } = from('../../../browser')('playwright-core');

// bundle is page.js with stanza.js in one file, by what builds the screen.
async function bundle() {
	const { rolldown } = await import(pathToFileURL(from('../../../../web').resolve('rolldown')));
	const build = await rolldown({
		input: path.join(here, 'page.js'),
		platform: 'browser',
		logLevel: 'silent',
		transform: { define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' } },
	});
	const { output } = await build.generate({ format: 'iife' });
	await build.close();
	return output[0].code;
}

async function site() {
	const code = await bundle();
	const server = http.createServer((request, response) => {
		const script = request.url === '/page.js';
		response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
		response.end(script ? code : '<!doctype html><title>stanza.js</title><script src="page.js"></script>');
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	return server;
}

// stage opens the page, in a browser of its own or in the one that is given.
export async function stage(program, browser) {
	const server = await site();
	const own = browser ? undefined : await chromium.launch({
		executablePath: program,
		chromiumSandbox: process.getuid() !== 0,
		args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
	});
	const context = await (browser ?? own).newContext({ permissions: ['camera', 'microphone'] });
	const page = await context.newPage();
	const said = [];
	page.on('console', (m) => said.length < 400 && said.push(m.text()));
	page.on('pageerror', (e) => said.push(`error in the page: ${e.stack}`));
	await page.goto(`http://localhost:${server.address().port}/`);
	if (!(await page.evaluate(() => 'does' in globalThis))) throw new Error(`the page does not work:\n${said.join('\n')}`);
	return {
		said,
		does: (what, how) => page.evaluate(([what, how]) => globalThis.does(what, how), [what, how]),
		async close() {
			await context.close();
			await own?.close();
			server.close();
			server.closeAllConnections();
		},
	};
}
